"""Exported files compute what PyTorch does, for every recipe; what does not is not kept."""

import json

import pytest
import torch

from sparring.export import onnx, torch_export
from sparring.export.graph import build_graphs, describe_graph
from sparring.export.output import OutputFiles
from sparring.export.parity import ParityError, measure_parity
from sparring.recipes.table import TINY_RECIPES
from tests.helpers.export_networks import UNITS, facts_of, kept_of

runtime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")


def distinct(part):
    """The recipes by what one of their graphs computes: most that differ in their losses alone keep the same network."""
    found = {}
    for name in [*TINY_RECIPES, "points"]:
        for graph in build_graphs(kept := kept_of(name), facts_of(kept)):
            if (graph.name == "encoder") == (part == "encoder"):
                text = f"{graph.module} {graph.inputs} {graph.dynamic_axes} {[each.shape for each in graph.module.state_dict().values()]}"
                found.setdefault(text, []).append(f"{name}:{graph.name}")
    return [" ".join(names) for names in found.values()]


def checked(name, folder):
    recipe, which = name.split()[0].split(":")
    kept = kept_of(recipe)
    graph = next(each for each in build_graphs(kept, facts_of(kept)) if each.name == which)
    content = onnx.serialize_onnx(graph, describe_graph(kept, facts_of(kept), graph))
    found = measure_parity(graph, *onnx.make_onnx_runner(content, graph))
    assert found.max_difference <= 1e-4
    assert found.samples == 64
    assert list(found.differences) == [1, 2, 5]
    session = runtime.InferenceSession(content)
    about = json.loads(session.get_modelmeta().custom_metadata_map["sparring"])
    assert about["shape"] == list(kept.spec.shape)
    assert [given.name for given in session.get_inputs()] == about["inputs"]


@pytest.mark.parametrize("name", distinct("main"))
def test_onnx_computes_what_pytorch_does(name, tmp_path):
    checked(name, tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("name", distinct("encoder"))
def test_encoders_compute_what_pytorch_does(name, tmp_path):
    checked(name, tmp_path)


def test_an_encoder_goes_beside_its_generator_each_with_its_figures(tmp_path):
    kept = kept_of("ae")
    files = OutputFiles(tmp_path / "model.onnx")
    found = onnx.write_onnx(kept, facts_of(kept), files)
    files.write()
    for parity, name in zip(found, ("model.onnx", "model.encoder.onnx"), strict=True):
        assert runtime.InferenceSession(str(tmp_path / name))
        told = json.loads((tmp_path / f"{name}.parity.json").read_text())
        assert max(told["largest_difference"].values()) == parity.max_difference <= 1e-4


def test_points_of_a_small_scale_are_measured_by_it():
    kept = kept_of("points")
    small = {"centre": [0.0, 0.0], "scale": [1e-3, 1e-3]}
    graph = build_graphs(kept, {**facts_of(kept), "units": small})[0]
    with pytest.raises(ParityError):
        measure_parity(
            graph, lambda given: graph(given) + 1e-6, "nobody", samples=5
        )  # a thousandth of the data's scale


def test_a_file_that_differs_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    kept = kept_of("gan")
    whole = onnx.serialize_onnx

    def damaged(graph, about):
        with torch.no_grad():
            bias = next(iter(graph.module.parameters()))
            before = bias.clone()
            bias.mul_(1.01)
            content = whole(graph, about)
            bias.copy_(before)
        return content

    monkeypatch.setattr(onnx, "serialize_onnx", damaged)
    with pytest.raises(ParityError, match="differs from PyTorch"):
        onnx.write_onnx(kept, facts_of(kept), OutputFiles(tmp_path / "model.onnx"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_a_number_is_refused():
    graph = build_graphs(kept_of("gan"), {"units": {}})[0]
    with pytest.raises(ParityError):
        measure_parity(graph, lambda given: graph(given) * float("nan"), "nobody", samples=5)


def test_the_truncation_is_an_input():
    kept = kept_of("gan")
    graph = build_graphs(kept, facts_of(kept))[0]
    run, _ = onnx.make_onnx_runner(
        onnx.serialize_onnx(graph, describe_graph(kept, facts_of(kept), graph)), graph
    )
    z = torch.ones(3, kept.latent)
    alike = run((z, torch.tensor(0.0)))
    assert torch.allclose(alike, kept(torch.zeros(3, kept.latent)), atol=1e-5)
    assert not torch.allclose(alike, run((z, torch.tensor(1.0))), atol=1e-2)


def test_points_come_in_the_units_of_the_data():
    kept = kept_of("points")
    graph = build_graphs(kept, facts_of(kept))[0]
    given = graph.example_inputs(0, 64)
    expected = kept(given[0]) * torch.tensor(UNITS["scale"]) + torch.tensor(UNITS["centre"])
    assert torch.allclose(graph(given), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["two_stage_vae", "cgan"])
def test_pytorchs_own_program_computes_the_same(name, tmp_path):
    kept = kept_of(name)
    files = OutputFiles(tmp_path / "model")
    assert all(
        parity.max_difference <= 1e-4
        for parity in torch_export.write_torch_export(kept, facts_of(kept), files)
    )
    files.write()
    extra = {"sparring.json": ""}
    again = torch.export.load(tmp_path / "model.pt2", extra_files=extra).module()
    graph = build_graphs(kept, facts_of(kept))[0]
    given = graph.example_inputs(3, 7)
    assert torch.allclose(again(*given), graph(given), atol=1e-5)
    assert json.loads(extra["sparring.json"])["inputs"] == list(graph.inputs)


def test_spectral_weights_are_folded():
    from sparring.export.freeze import freeze
    from sparring.parts.networks.layers.spectral_norm import spectral_norm

    network = spectral_norm(torch.nn.Linear(3, 2)).eval()
    folded = freeze(network)
    x = torch.ones(1, 3)
    assert torch.allclose(folded(x), network(x))
    assert set(folded.state_dict()) == {"weight", "bias"}


def test_translators_take_pictures_of_any_size():
    kept = kept_of("cyclegan")
    graph = build_graphs(kept, facts_of(kept))[0]
    run, _ = onnx.make_onnx_runner(
        onnx.serialize_onnx(graph, describe_graph(kept, facts_of(kept), graph)), graph
    )
    many = graph.dynamic_axes[0][2]
    x = torch.linspace(-1, 1, 3 * 3 * many * 5 * many).view(1, 3, 3 * many, 5 * many).sin()
    assert torch.allclose(run((x,)), graph((x,)), atol=1e-4)
