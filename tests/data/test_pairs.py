"""Two domains: what belongs together stays together, what does not is named, and nothing is silently left out."""

import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.core.errors import ConfigError, DataError
from sparring.core.runtime import Runtime
from sparring.data import DataConfig, contact_sheet, open_data, split_held_out
from sparring.data.dataset import enlarge_and_crop
from sparring.data.image_grid import GAP
from sparring.data.readers.derived import DERIVATIONS, downsample, edge_drawing, mask_square, to_grey
from sparring.data.readers.domains import parse_path
from sparring.recipes.pix2pix import tiny
from sparring.recipes.table import resolve_pairing, resolve_recipe
from sparring.training.state import BatchStream, Clock


def make_image(number, size=(16, 16), mode="RGB"):
    """A image whose pixels tell which one it is; `size` is (height, width)."""
    noise = np.random.default_rng(number).integers(0, 256, (*size, 4), np.uint8)
    noise[..., 3] = np.where(noise[..., 3] > 127, 255, 0)
    pixels = noise[..., 0] if mode == "L" else noise[..., : len(mode)]
    return Image.fromarray(pixels)


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def pairs(root, a="A", b="B", count=5, first=0):
    """Pairs (b is a inverted) in two folders."""
    for number in range(first, first + count):
        image = make_image(number)
        save(image, root / a / f"{number}.png")
        save(Image.fromarray(255 - np.asarray(image)), root / b / f"{number}.png")
    return root


def inverse(dataset):
    return np.array_equal(np.asarray(dataset.samples), 255 - np.asarray(dataset.domain_b.samples))


def opened(source, **settings):
    return open_data(DataConfig(source=str(source), **settings))


LAYOUTS = [
    [("A", "B", 5)],
    [("trainA", "trainB", 5), ("testA", "testB", 3)],
    [("train/A", "train/B", 5), ("val/A", "val/B", 3)],
    [("A/train", "B/train", 5), ("A/test", "B/test", 3), ("A/val", "B/val", 2)],
    [("set/one/trainA", "set/one/trainB", 5)],
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_layouts_of_pairs(layout, packed, tmp_path):
    root, first = tmp_path / "data", 0
    for a, b, count in layout:
        pairs(root, a, b, count, first)
        first += count
    if packed:
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as file:
            for path in root.rglob("*.png"):
                file.write(path, path.relative_to(root))
        root = tmp_path / "data.zip"
    dataset = opened(root)
    assert (len(dataset), dataset.paired, dataset.spec.shape_b) == (5, True, (3, 16, 16))
    assert inverse(dataset)
    train, held = split_held_out(dataset, 0)
    assert train is dataset
    assert (held is None) == (len(layout) == 1)
    assert held is None or (len(held) == 3 and held.paired and inverse(held))
    again = opened(root, **{"pairing": dataset.config.pairing, "size": (16, 16)})
    assert again.fingerprint == dataset.fingerprint


def test_side_by_side_and_swapped(tmp_path):
    for number in range(4):
        both = np.concatenate([np.asarray(make_image(number)), np.zeros((16, 1, 3), np.uint8)], 1)
        both = np.concatenate(
            [both, 255 - np.asarray(make_image(number))], 1
        )  # an odd middle column is nobody's
        save(Image.fromarray(both), tmp_path / f"{'val' if number == 3 else 'train'}/{number}.png")
    save(make_image(9), tmp_path / "train/square.png")
    dataset, swapped = (
        opened(tmp_path, pairing="paired"),
        opened(tmp_path, pairing="paired", swap_domains=True),
    )
    assert (len(dataset), len(dataset.test_set)) == (3, 1)
    assert np.array_equal(dataset.samples[0], np.asarray(make_image(0)))
    assert inverse(dataset)
    assert np.array_equal(swapped.samples, dataset.domain_b.samples)
    assert np.array_equal(swapped.domain_b.samples, dataset.samples)
    assert swapped.fingerprint != dataset.fingerprint
    assert dataset.report.skipped == (("train/square.png", "not twice as wide as high"),)
    assert opened(tmp_path).domain_b is None, "nobody asked for pairs"


def test_each_side_has_its_own_channels(tmp_path):
    for number in range(3):
        save(make_image(number, mode="L").convert("RGB"), tmp_path / f"A/{number}.bmp")
        save(make_image(number, mode="RGBA"), tmp_path / f"B/{number}.png")
    dataset = opened(tmp_path)
    assert (dataset.spec.shape, dataset.spec.shape_b) == ((1, 16, 16), (4, 16, 16))
    assert opened(tmp_path, channels=3, channels_b=1).spec.shape_b == (1, 16, 16)
    sheet = contact_sheet(dataset, 8, 8)
    assert (sheet.mode, sheet.width) == ("RGB", 3 * (2 * 16 * 2 + GAP) + GAP)


def test_halves_have_their_own_channels(tmp_path):
    for number in range(3):
        grey_half = np.asarray(make_image(number, mode="L").convert("RGB"))
        save(
            Image.fromarray(np.hstack([grey_half, np.asarray(make_image(number))])),
            tmp_path / f"{number}.png",
        )
    assert opened(tmp_path, pairing="paired").spec.shape == (1, 16, 16)
    assert opened(tmp_path, pairing="paired").spec.shape_b == (3, 16, 16)


def test_what_does_not_fit_is_listed(tmp_path):
    pairs(tmp_path, count=6)
    os.remove(tmp_path / "B/0.png")
    save(make_image(1, size=(16, 24)), tmp_path / "B/1.png")
    (tmp_path / "A/2.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    save(Image.fromarray(np.full((16, 16), 40_000, np.uint16)), tmp_path / "A/3.png")
    save(make_image(4, size=(64, 64)), tmp_path / "B/4.png")
    save(make_image(5), tmp_path / "A/5.bmp")
    dataset = opened(tmp_path, pairing="paired", size=(16, 16))
    assert len(dataset) == 3, "16 bits beside 8, and another size of the same shape, do no harm"
    skipped = dict(dataset.report.skipped)
    assert skipped["A/0.png"] == "no partner in B"
    assert skipped["B/1.png"] == "another aspect ratio than its partner: 16x24, not 16x16"
    assert skipped["B/2.png"] == "its partner can't be used"
    assert "A/2.png" in skipped
    assert skipped["A/5.png"] == "another image of this name: A/5.bmp"
    assert len(skipped) == 5
    assert [note for _, note in dataset.report.converted] == ["A: 16-bit grey to 8 bits"]


def test_the_partner_of_a_damaged_image_is_skipped(tmp_path):
    pairs(tmp_path, count=4)
    whole = (tmp_path / "A/1.png").read_bytes()
    (tmp_path / "A/1.png").write_bytes(whole[: len(whole) // 2])  # its header is right
    dataset = opened(tmp_path)
    assert len(dataset) == len(dataset.domain_b) == 3
    assert inverse(dataset)
    assert dataset.report.skipped[0][1].startswith("A/1.png: ")


@pytest.mark.parametrize(
    ("make", "settings", "expected"),
    [
        (lambda root: pairs(root, b="A"), {"pairing": "paired"}, "5 images in A and 0 in B"),
        (lambda root: (pairs(root, count=2), [p.rename(p.with_name(f"x{p.name}")) for p in root.glob("B/*")]),
         {"pairing": "paired"}, "nothing pairs by name"),
        (lambda root: save(make_image(0), root / "0.png"), {"pairing": "paired"}, "images without partners"),
        (lambda root: save(make_image(0), root / "0.png"), {"pairing": "unpaired"}, "one set of 1 images"),
        (pairs, {"derive_input": "edges"}, "there are two domains"),
        (pairs, {"pairing": "one", "derive_input": "edges"}, "a second domain"),
        (lambda root: None, {"source": "ring", "derive_input": "edges"}, "points"),
        (lambda root: None, {"source": "animals:cat", "source_b": "ring"}, "points"),
        (lambda root: (pairs(root), (root / "empty").mkdir()),
         {"source": "{}/A", "source_b": "{}/empty", "pairing": "paired"}, "5 images; "),
        (lambda root: (pairs(root), (root / "empty").mkdir()),
         {"source": "{}/A", "source_b": "{}/empty", "pairing": "unpaired"}, "empty"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(make, settings, expected, tmp_path):
    make(tmp_path)
    source_settings = {name: value.format(tmp_path) for name, value in settings.items()}
    with pytest.raises(DataError, match=expected) as caught:
        opened(source_settings.pop("source", tmp_path), **source_settings)
    assert caught.value.fix


def test_unpaired_folders_zips_arrays_and_names(tmp_path):
    pairs(tmp_path / "set", "trainA", "other", count=4)
    pairs(tmp_path / "set", "unused", "trainB", count=7, first=20)
    pairs(tmp_path / "set", "testA", "testB", count=2, first=40)
    dataset = opened(tmp_path / "set")
    assert (dataset.paired, len(dataset), len(dataset.domain_b), dataset.epoch_size) == (False, 4, 7, 7)
    assert dataset.test_set.paired, "the test part has partners: there are targets to evaluate against"
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 20, 20, 3), np.uint8))
    mixed = opened(tmp_path / "x.npz", source_b=str(tmp_path / "set/trainA"))
    assert (mixed.spec.shape, mixed.spec.shape_b) == ((3, 20, 20), (3, 20, 20))
    assert (len(mixed), len(mixed.domain_b)) == (3, 4)
    swapped = opened(tmp_path / "x.npz", source_b=str(tmp_path / "set/trainA"), swap_domains=True)
    assert (len(swapped), len(swapped.domain_b)) == (4, 3)
    animals = opened("animals:horse", source_b="animals:zebra")
    assert (animals.config.pairing, animals.classes, len(animals)) == ("unpaired", (), 1000)


def test_two_folders_pair_by_name_where_pairs_are_wanted(tmp_path):
    pairs(tmp_path)
    dataset = opened(tmp_path / "A", source_b=str(tmp_path / "B"), pairing="paired")
    assert dataset.paired
    assert inverse(dataset)


def test_classes_called_a_and_b_stay_classes(tmp_path):
    for number in range(4):
        save(make_image(number), tmp_path / f"{'AB'[number % 2]}/{number}.png")
    dataset = opened(tmp_path)
    assert (dataset.classes, dataset.domain_b, dataset.config.pairing) == (("A", "B"), None, "one")


def test_classes_called_by_letters_are_not_taken_for_pairs(tmp_path):
    for number in range(12):
        save(make_image(number), tmp_path / f"{'ABCD'[number % 4]}/{number // 4}.png")
    dataset = opened(tmp_path)
    assert (dataset.domain_b, dataset.classes) == (None, ("A", "B", "C", "D"))
    assert len(opened(tmp_path, pairing="paired")) == 3, "asked for, they are pairs"


def test_test_parts_of_two_data_are_held_out(tmp_path):
    for side, first in (("horses", 0), ("zebras", 50)):
        for part, count in (("train", 4), ("test", 2)):
            for number in range(count):
                save(make_image(first + 10 * count + number), tmp_path / side / part / f"{side}{number}.png")
    dataset = opened(tmp_path / "horses", source_b=str(tmp_path / "zebras"))
    assert (len(dataset), len(dataset.domain_b), dataset.paired) == (4, 4, False)
    assert (len(dataset.test_set), len(dataset.test_set.domain_b)) == (2, 2)
    for trained, held in ((dataset, dataset.test_set), (dataset.domain_b, dataset.test_set.domain_b)):
        assert not {one.tobytes() for one in trained.samples} & {one.tobytes() for one in held.samples}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A/x/1.jpg", ("train", "A", "x/1")), ("validation/1", ("val", "", "1")), ("B/B/1.png", ("train", "B", "B/1")),
     ("Apples/1.png", ("train", "", "Apples/1")), ("testB/1.2.png", ("test", "B", "1.2"))],
)  # fmt: skip
def test_names_of_folders(name, expected):
    place = parse_path(name)
    assert (place.split, place.domain, place.name) == expected


def make_stream(dataset, flip=True, random_crop=0.25, seed=0):
    experiment = tiny()
    data = replace(dataset.config, flip=flip, random_crop=random_crop)
    experiment = replace(experiment, data=data, training=replace(experiment.training, batch=4, seed=seed))
    return BatchStream(dataset, experiment, Runtime(device=torch.device("cpu")))


def batches_of(dataset, steps=range(4), **settings):
    stream = make_stream(dataset, **settings)
    clocks = [Clock(step=at, images=4 * at) for at in steps]
    return [b for clock in clocks for b in stream.batches(clock, 0, 0, clock.images, [{}])]


def test_flips_and_windows_keep_pairs_aligned(tmp_path):
    """Each B is the negative of its A, and so it must be after flips and crops."""
    dataset = opened(pairs(tmp_path, count=7))
    for batch in batches_of(dataset):
        assert torch.allclose(batch.x, -batch.x_b, atol=1e-5)
    plain = torch.cat([batch.x for batch in batches_of(dataset, flip=False, random_crop=0.0)])
    assert not torch.equal(plain, torch.cat([batch.x for batch in batches_of(dataset)])), "nothing was done"


def test_the_alignment_could_be_missed(tmp_path):
    """The sabotage twin: as two domains without pairs, the same images do not fit."""
    dataset = opened(pairs(tmp_path, count=7)).replace(paired=False)
    batches = batches_of(dataset)
    assert not any(torch.allclose(batch.x, -batch.x_b, atol=1e-5) for batch in batches)
    both = batches_of(dataset, steps=range(7), flip=False, random_crop=0.0)
    samples_b = torch.cat([batch.x_b for batch in both])
    assert all(sum(torch.equal(row, one) for one in samples_b) == 4 for row in samples_b), (
        "each comes once an epoch"
    )


def test_a_batch_depends_on_its_position_alone(tmp_path):
    dataset = opened(pairs(tmp_path, count=7)).replace(paired=False)
    whole, rest = batches_of(dataset), batches_of(opened(tmp_path, pairing="unpaired"), steps=range(2, 4))
    for one, two in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.x, two.x)
        assert torch.equal(one.x_b, two.x_b)
    assert not torch.equal(whole[0].x_b, batches_of(dataset, seed=1)[0].x_b)


def test_random_crops_are_windows_of_the_enlarged_image():
    x = torch.randn(2, 3, 16, 12)
    assert torch.equal(enlarge_and_crop(x, torch.rand(2, 2), 0.0), x)
    places = torch.tensor([[0.0, 0.0], [0.999, 0.999]])
    larger = torch.nn.functional.interpolate(x, (20, 15), mode="bilinear")
    cut = enlarge_and_crop(x, places, 0.25)
    assert torch.equal(cut[0], larger[0, :, :16, :12])
    assert torch.equal(cut[1], larger[1, :, 4:, 3:])


@pytest.mark.parametrize("kind", DERIVATIONS)
def test_inputs_are_derived_from_images(kind, tmp_path):
    for number in range(4):
        save(
            make_image(number, size=(20, 24)), tmp_path / f"{'test' if number == 3 else 'train'}/{number}.png"
        )
    dataset, swapped = (
        opened(tmp_path, derive_input=kind),
        opened(tmp_path, derive_input=kind, swap_domains=True),
    )
    assert (len(dataset), len(dataset.test_set), dataset.paired) == (3, 1, True)
    assert np.array_equal(dataset.domain_b.samples[1], np.asarray(make_image(1, size=(20, 24))))
    assert np.array_equal(dataset.samples[1], DERIVATIONS[kind](np.asarray(make_image(1, size=(20, 24))), 1))
    assert np.array_equal(swapped.domain_b.samples, dataset.samples)
    assert opened(tmp_path, derive_input=kind, channels=3).spec.shape == (3, 20, 24)
    assert dataset.fingerprint == opened(tmp_path, derive_input=kind).fingerprint
    assert dataset.fingerprint != opened(tmp_path).fingerprint


def test_values_of_derived_inputs():
    flat = np.full((32, 32, 3), 77, np.uint8)
    assert (edge_drawing(flat) == 255).all(), "a flat image has no lines, whatever its grey level"
    step = flat.copy()
    step[:, 16:] = 200
    assert set(np.flatnonzero(edge_drawing(step)[10, :, 0] < 128)) <= {14, 15}, "the dark side of the edge"
    assert edge_drawing(step)[:, 15].max() < 128
    hues = np.zeros((32, 32, 3), np.uint8)
    hues[:, :16, 0], hues[:, 16:, 1] = 200, 102  # of one brightness
    assert np.ptp(to_grey(hues).astype(int)) <= 1
    assert edge_drawing(hues).min() < 128
    assert (downsample(flat) == flat).all()
    hole = mask_square(flat, 3)
    assert (hole[..., 3] == 0).sum() == 16 * 16
    assert (hole[hole[..., 3] > 0, :3] == 77).all()
    assert not np.array_equal(hole, mask_square(flat, 4))


def test_held_out_pairs_stay_pairs(tmp_path):
    train, held = split_held_out(opened(pairs(tmp_path, count=9)), 3)
    assert (len(train), len(held)) == (6, 3)
    assert inverse(train)
    assert inverse(held)
    with pytest.raises(ConfigError, match="held_out"):
        split_held_out(opened("animals:horse", source_b=str(tmp_path / "A")), 5)


def test_recipes_get_the_domains_that_they_are_for():
    two = DataConfig(source_b="animals:zebra")
    assert resolve_pairing(two, "cyclegan").pairing == "unpaired"
    assert resolve_pairing(DataConfig(), "dcgan").pairing == "one"
    assert resolve_pairing(two, "auto").pairing == "auto"
    for data, recipe in (
        (two, "dcgan"),
        (DataConfig(derive_input="edges"), "wgan"),
        (DataConfig(pairing="one"), "cut"),
    ):
        with pytest.raises(ConfigError, match=recipe):
            resolve_pairing(data, recipe)
    dataset = opened("animals:horse", source_b="animals:zebra")
    assert resolve_recipe(dataset, "auto") == "cyclegan"
    assert resolve_recipe(dataset.replace(paired=True), "auto") == "pix2pix"
