"""Exported files compute the same as PyTorch, for every recipe; a file that differs is not written."""

import json

import pytest
import torch

from sparring.export import onnx, torch_export
from sparring.export.graph import build_graphs, describe_graph
from sparring.export.output import OutputFiles
from sparring.export.parity import ParityError, measure_parity
from sparring.recipes.table import TINY_RECIPES
from tests.helpers.export_networks import UNITS, build_model, make_metadata

runtime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")


def distinct_graphs(part):
    """The graphs of all recipes, grouped by equal computation: recipes that differ in their losses share a network."""
    groups = {}
    for name in [*TINY_RECIPES, "points"]:
        for graph in build_graphs(model := build_model(name), make_metadata(model)):
            if (graph.name == "encoder") == (part == "encoder"):
                shapes = [each.shape for each in graph.module.state_dict().values()]
                key = f"{graph.module} {graph.inputs} {graph.dynamic_axes} {shapes}"
                groups.setdefault(key, []).append(f"{name}:{graph.name}")
    return [" ".join(names) for names in groups.values()]


def check_onnx(name):
    recipe, which = name.split()[0].split(":")
    model = build_model(recipe)
    graph = next(each for each in build_graphs(model, make_metadata(model)) if each.name == which)
    content = onnx.serialize_onnx(graph, describe_graph(model, make_metadata(model), graph))
    parity = measure_parity(graph, *onnx.make_onnx_runner(content, graph))
    assert parity.max_difference <= 1e-4
    assert parity.num_samples == 64
    assert list(parity.differences) == [1, 2, 5]
    session = runtime.InferenceSession(content)
    metadata = json.loads(session.get_modelmeta().custom_metadata_map["sparring"])
    assert metadata["shape"] == list(model.spec.shape)
    assert [each.name for each in session.get_inputs()] == metadata["inputs"]


@pytest.mark.parametrize("name", distinct_graphs("main"))
def test_onnx_equals_pytorch(name):
    check_onnx(name)


@pytest.mark.prove
@pytest.mark.parametrize("name", distinct_graphs("encoder"))
def test_onnx_encoder_equals_pytorch(name):
    check_onnx(name)


def test_encoder_is_written_beside_its_generator(tmp_path):
    model = build_model("ae")
    files = OutputFiles(tmp_path / "model.onnx")
    parities = onnx.write_onnx(model, make_metadata(model), files)
    files.write()
    for parity, name in zip(parities, ("model.onnx", "model.encoder.onnx"), strict=True):
        assert runtime.InferenceSession(str(tmp_path / name))
        document = json.loads((tmp_path / f"{name}.parity.json").read_text())
        assert max(document["max_abs_difference"].values()) == parity.max_difference <= 1e-4


def test_differences_of_points_are_relative_to_their_scale():
    model = build_model("points")
    small = {"centre": [0.0, 0.0], "scale": [1e-3, 1e-3]}
    graph = build_graphs(model, {**make_metadata(model), "units": small})[0]
    with pytest.raises(ParityError):
        measure_parity(
            graph, lambda inputs: graph(inputs) + 1e-6, "test", num_samples=5
        )  # a thousandth of the data's scale


def test_file_that_differs_is_not_written(tmp_path, monkeypatch):
    model = build_model("gan")
    serialize = onnx.serialize_onnx

    def serialize_changed(graph, metadata):
        with torch.no_grad():
            bias = next(iter(graph.module.parameters()))
            before = bias.clone()
            bias.mul_(1.01)
            content = serialize(graph, metadata)
            bias.copy_(before)
        return content

    monkeypatch.setattr(onnx, "serialize_onnx", serialize_changed)
    with pytest.raises(ParityError):
        onnx.write_onnx(model, make_metadata(model), OutputFiles(tmp_path / "model.onnx"))
    assert list(tmp_path.iterdir()) == []


def test_nan_is_not_parity():
    graph = build_graphs(build_model("gan"), {"units": {}})[0]
    with pytest.raises(ParityError):
        measure_parity(graph, lambda inputs: graph(inputs) * float("nan"), "test", num_samples=5)


def test_truncation_is_an_input():
    model = build_model("gan")
    graph = build_graphs(model, make_metadata(model))[0]
    run, _ = onnx.make_onnx_runner(
        onnx.serialize_onnx(graph, describe_graph(model, make_metadata(model), graph)), graph
    )
    z = torch.ones(3, model.latent)
    truncated = run((z, torch.tensor(0.0)))
    assert torch.allclose(truncated, model(torch.zeros(3, model.latent)), atol=1e-5)
    assert not torch.allclose(truncated, run((z, torch.tensor(1.0))), atol=1e-2)


def test_points_are_in_the_units_of_the_data():
    model = build_model("points")
    graph = build_graphs(model, make_metadata(model))[0]
    inputs = graph.example_inputs(0, 64)
    expected = model(inputs[0]) * torch.tensor(UNITS["scale"]) + torch.tensor(UNITS["centre"])
    assert torch.allclose(graph(inputs), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["two_stage_vae", "cgan"])
def test_torch_export_equals_pytorch(name, tmp_path):
    model = build_model(name)
    files = OutputFiles(tmp_path / "model")
    assert all(
        parity.max_difference <= 1e-4
        for parity in torch_export.write_torch_export(model, make_metadata(model), files)
    )
    files.write()
    extra = {"sparring.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=extra).module()
    graph = build_graphs(model, make_metadata(model))[0]
    inputs = graph.example_inputs(3, 7)
    assert torch.allclose(program(*inputs), graph(inputs), atol=1e-5)
    assert json.loads(extra["sparring.json"])["inputs"] == list(graph.inputs)


def test_spectral_norm_is_folded_into_the_weights():
    from sparring.export.freeze import freeze
    from sparring.parts.networks.layers.spectral_norm import spectral_norm

    network = spectral_norm(torch.nn.Linear(3, 2)).eval()
    folded = freeze(network)
    x = torch.ones(1, 3)
    assert torch.allclose(folded(x), network(x))
    assert set(folded.state_dict()) == {"weight", "bias"}


def test_translator_accepts_other_sizes():
    model = build_model("cyclegan")
    graph = build_graphs(model, make_metadata(model))[0]
    run, _ = onnx.make_onnx_runner(
        onnx.serialize_onnx(graph, describe_graph(model, make_metadata(model), graph)), graph
    )
    multiple = graph.dynamic_axes[0][2]
    x = torch.linspace(-1, 1, 3 * 3 * multiple * 5 * multiple).view(1, 3, 3 * multiple, 5 * multiple).sin()
    assert torch.allclose(run((x,)), graph((x,)), atol=1e-4)
