"""`sparring sample` and `Run.sample`: formats, labels, and that a sample depends on its seed, index and label alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import load
from sparring.core.errors import SparringError


def test_a_grid_is_one_image_of_all(sparring, run: Path, tmp_path: Path) -> None:
    code, out, _ = sparring("sample", run, "--n", 6, "--out", tmp_path / "grid.png")
    assert code == 0
    assert "6 samples" in out
    with Image.open(tmp_path / "grid.png") as image:
        width, height = image.size
    assert height > width, "two classes: two columns, three rows"


def test_arrays_hold_images_and_labels(sparring, run: Path, tmp_path: Path) -> None:
    assert sparring("sample", run, "--n", 5, "--out", tmp_path / "s.npz")[0] == 0
    with np.load(tmp_path / "s.npz", allow_pickle=False) as arrays:
        assert arrays["images"].shape == (5, 8, 8, 1)
        assert arrays["images"].dtype == np.uint8
        assert arrays["labels"].tolist() == load(run).labels(5).tolist()


def test_a_folder_holds_a_file_each(sparring, run: Path, tmp_path: Path) -> None:
    assert sparring("sample", run, "--n", 3, "--out", tmp_path / "many")[0] == 0
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == [f"{n:06d}.png" for n in range(3)]
    samples = load(run).sample(3)
    with Image.open(tmp_path / "many" / "000002.png") as image:
        assert np.array_equal(np.asarray(image), samples[2, :, :, 0])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    sparring, run: Path, tmp_path: Path
) -> None:
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        sparring("sample", run, "--n", 4, "--seed", seed, "--out", tmp_path / f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_the_first_samples_do_not_depend_on_how_many_there_are(run: Path) -> None:
    loaded = load(run)
    assert np.array_equal(loaded.sample(10, seed=5)[:3], loaded.sample(3, seed=5))
    assert np.array_equal(loaded.sample(40, seed=5)[:17], loaded.sample(17, seed=5))


def test_a_class_has_a_name_and_a_number(run: Path) -> None:
    loaded = load(run)
    assert loaded.classes == ["dark", "light <script>"]
    by_name, by_number = loaded.sample(4, labels="dark"), loaded.sample(4, labels=0)
    assert np.array_equal(by_name, by_number)
    assert not np.array_equal(by_number, loaded.sample(4, labels=1))
    labels = loaded.labels(40)
    assert 0 < int(labels.sum()) < 40, "by default as frequent as in the data"
    assert np.array_equal(loaded.sample(40, labels=labels.tolist()), loaded.sample(40))


def test_the_error_for_an_unknown_class_lists_the_classes(sparring, run: Path, tmp_path: Path) -> None:
    code, _, err = sparring("sample", run, "--label", "horse", "--out", tmp_path / "x.png")
    assert code == 2
    assert "horse" in err
    assert "0 dark" in err
    assert "Traceback" not in err


def test_the_number_of_labels_must_match(run: Path) -> None:
    with pytest.raises(SparringError) as caught:
        load(run).sample(4, labels=[0, 1, 0])
    assert "3 labels" in caught.value.got


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"n": 1, "truncation": float("nan")}, {"n": 1, "truncation": -1.0}]
)
def test_numbers_out_of_range_are_refused(run: Path, options: dict[str, float]) -> None:
    with pytest.raises(SparringError) as caught:
        load(run).sample(**options)
    assert f"n={options['n']}" in caught.value.got


def test_truncation_zero_gives_one_sample_per_class(run: Path) -> None:
    samples = load(run).sample(4, labels=0, truncation=0.0)
    assert np.array_equal(samples[0], samples[3])


def test_points_are_in_the_units_of_the_data(sparring, points: Path, tmp_path: Path) -> None:
    assert sparring("sample", points, "--n", 50, "--out", tmp_path / "p.npz")[0] == 0
    with np.load(tmp_path / "p.npz", allow_pickle=False) as arrays:
        assert arrays["points"].shape == (50, 2)
        assert arrays["points"].dtype == np.float32
        assert np.array_equal(arrays["points"], load(points).sample(50))
    assert sparring("sample", points, "--n", 50, "--out", tmp_path / "p.png")[0] == 0
    code, _, err = sparring("sample", points, "--n", 50, "--out", tmp_path / "folder")
    assert code == 2
    assert ".npz" in err


def test_a_generator_file_alone_is_enough(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "generator.safetensors"
    alone.write_bytes((run / "generator.safetensors").read_bytes())
    assert np.array_equal(load(alone).sample(2), load(run).sample(2))
    with pytest.raises(SparringError, match=r"run\.json"):
        _ = load(alone).experiment


def test_a_missing_run_and_a_foreign_file_are_errors(sparring, tmp_path: Path) -> None:
    code, _, err = sparring("sample", tmp_path / "nothing")
    assert code == 2
    assert "no run at" in err
    (tmp_path / "generator.safetensors").write_bytes(b"\x80\x04rubbish")
    code, _, err = sparring("sample", tmp_path / "generator.safetensors", "--out", tmp_path / "x.png")
    assert code == 2
    assert "damaged or foreign" in err
    assert not (tmp_path / "x.png").exists()


def test_an_out_that_can_not_be_written_is_a_user_error(sparring, run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = sparring("sample", run, "--n", 1, "--out", tmp_path / "file" / "x.png")
    assert code == 2
    assert "--out" in err
    assert "do this" in err
