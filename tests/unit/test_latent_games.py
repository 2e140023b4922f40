"""Games with codes: what the record adds up to, what is kept, what comes back, and what is refused."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sparring import cli
from sparring.api import load
from sparring.core import config
from sparring.core.errors import ConfigError, CorruptFileError, DataError, SparringError
from sparring.core.game import Batch
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import LinearSchedule
from sparring.data import DataConfig, open_data
from sparring.experiment import TYPE_TABLES, Experiment, GameConfig
from sparring.games.autoencoder import FittedNormal
from sparring.inference.reconstruction import encode, reconstruct
from sparring.metrics import psnr
from sparring.models import autoencoder
from sparring.parts.likelihoods import Bernoulli, DiscretisedLogistic, Gaussian
from sparring.parts.networks import DCGANDiscriminator, DCGANGenerator, MLPDiscriminator, ResNetGenerator
from sparring.parts.posteriors import Deterministic, Normal
from sparring.recipes.facts import Facts
from sparring.recipes.shared_autoencoder import vae_experiment
from sparring.recipes.table import RECIPES, TINY_RECIPES
from sparring.runs import generator_file
from sparring.runs.request import Request
from sparring.training.state import TrainState
from tests.helpers import toy

CODED = ["ae", "dae", "vae", "beta_vae", "iwae", "svae", "vae_gan", "two_stage_vae"]
THIN_BODY, THIN_GENERATOR = DCGANDiscriminator(width=4), DCGANGenerator(width=4)
FACTS = {"units": {}, "classes": [], "images": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Discs of three sizes at various places, 16x16; and points."""
    place, draws = tmp_path_factory.mktemp("coded"), np.random.default_rng(0)
    rows, columns = np.indices((16, 16))
    middles, labels = draws.uniform(5, 11, (96, 2, 1, 1)), np.arange(96) % 3
    apart = np.hypot(rows - middles[:, 0], columns - middles[:, 1])
    images = np.where(apart < 2 + labels[:, None, None], 255, 0).astype(np.uint8)[..., None]
    np.savez(place / "discs.npz", images=images, labels=labels)
    np.savez(place / "constant.npz", images=np.full((32, 16, 16, 1), 200, np.uint8))
    np.savez(place / "points.npz", x=draws.normal(3, 0.1, (64, 2)).astype(np.float32))
    np.savez(place / "colour.npz", images=draws.integers(0, 256, (32, 40, 36, 3), dtype=np.uint8))
    return place


def open_set(data, name="discs"):
    return open_data(DataConfig(source=str(data / f"{name}.npz")))


def train(experiment, dataset, steps=3, **changes):
    training = replace(experiment.training.resolve(), **changes)
    train_state = TrainState(replace(experiment, training=training), dataset, toy.cpu())
    rows = [{name: float(value) for name, value in train_state.train_step().items()} for _ in range(steps)]
    return train_state, rows


def perceptrons(dataset, posterior=None, **rules):
    facts = Facts(spec=dataset.spec, count=len(dataset), images=64)
    whole = vae_experiment("vae", facts, posterior or Normal(latent=4), beta=1.0, **rules)
    document = config.apply_overrides(whole.to_json(), ["optimizers.autoencoder.lr=2e-3"])
    return Experiment.from_json(document)


@pytest.mark.parametrize("name", CODED)
def test_a_step_in_bfloat16_works(name, data):
    dataset, experiment = open_set(data), TINY_RECIPES[name]()
    train_state = TrainState(
        replace(experiment, training=experiment.training.resolve()), dataset, replace(toy.cpu(), bf16=True)
    )
    for _ in range(4):  # both stages of two
        assert all(torch.isfinite(value) for value in train_state.train_step().values())


def bound_term(row, term):
    """The value of this term, whichever turn it is of."""
    (value,) = (value for name, value in row.items() if name.endswith(f"/{term}"))
    return value


@pytest.mark.parametrize("name", ["vae", "svae", "beta_vae", "iwae", "two_stage_vae"])
def test_the_bound_is_re_minus_kl_in_every_line(name, data):
    _, rows = train(TINY_RECIPES[name](), open_set(data), steps=5)
    for row in rows:
        elbo, re, kl = (bound_term(row, term) for term in ("elbo", "re", "kl"))
        assert elbo == pytest.approx(re - kl, rel=1e-6)
        assert kl >= -1e-4 or name == "iwae"


def test_the_weight_on_kl_is_in_the_loss_alone(data):
    _, rows = train(TINY_RECIPES["beta_vae"](), open_set(data), steps=1)
    assert rows[0]["autoencoder/weighted_kl"] == pytest.approx(4 * rows[0]["autoencoder/kl"], rel=1e-6)
    _, rows = train(perceptrons(open_set(data), free_bits=1e6), open_set(data), steps=1)
    assert rows[0]["autoencoder/weighted_kl"] == 0 < rows[0]["autoencoder/kl"]


def test_one_importance_sample_is_the_bound_and_more_are_tighter(data):
    dataset = open_set(data)
    whole = perceptrons(dataset)
    bounds = {}
    for count in (2, 50):
        train_state, _ = train(
            replace(whole, game=replace(whole.game, importance_samples=count)), dataset, steps=0
        )
        row = {name: float(value) for name, value in train_state.train_step().items()}
        bounds[count] = row["autoencoder/bound"]
        assert row["autoencoder/elbo"] < row["autoencoder/bound"]
    assert bounds[2] < bounds[50]


def test_a_short_training_learns_the_data(data):
    """The bound rises by far, and what comes back is closer to its own original than to another one's."""
    dataset = open_set(data)
    train_state, rows = train(perceptrons(dataset), dataset, steps=150, ema_half_life=0.0)
    assert rows[-1]["autoencoder/elbo"] > rows[0]["autoencoder/elbo"] + 60
    samples = np.asarray(dataset.samples)
    back = reconstruct(train_state.generation, FACTS, samples)
    assert psnr(samples, back).mean() > psnr(samples, np.roll(back, 7, 0)).mean() + 3
    found = train_state.generation.log_likelihood(dataset.batch(range(20))[0], samples=200)
    assert found.elbo < found.log_likelihood < 0
    assert found == train_state.generation.log_likelihood(dataset.batch(range(20))[0], samples=200)


@pytest.mark.parametrize("name", CODED)
def test_codes_are_deterministic_and_each_depends_on_its_sample_alone(name, data):
    dataset = open_set(data)
    train_state, _ = train(TINY_RECIPES[name](), dataset)
    samples = np.asarray(dataset.samples)
    whole = encode(train_state.generation, FACTS, samples)
    assert whole.isfinite().all()
    assert torch.equal(whole[5:7], encode(train_state.generation, FACTS, samples[5:7]))
    back = reconstruct(train_state.generation, FACTS, samples)
    assert (back.shape, back.dtype) == (samples.shape, np.uint8)
    assert np.array_equal(back[:3], reconstruct(train_state.generation, FACTS, samples[:3]))


@pytest.mark.parametrize("name", CODED)
def test_samples_need_no_encoder(name, data, tmp_path):
    train_state, _ = train(TINY_RECIPES[name](), open_set(data))
    whole, alone = tmp_path / "whole.safetensors", tmp_path / "alone.safetensors"
    generator_file.save(whole, train_state.generation, train_state.experiment, FACTS)
    generator_file.save(alone, train_state.generation.without_encoder(), train_state.experiment, FACTS)
    with_encoder, without = (generator_file.load(path).generation for path in (whole, alone))
    assert alone.stat().st_size < whole.stat().st_size
    assert torch.equal(with_encoder.sample(0, range(5)), without.sample(0, range(5)))
    with pytest.raises(SparringError, match="without an encoder"):
        load(alone).encode(np.asarray(train_state.stream.dataset.samples))


def test_half_an_encoder_is_refused(data, tmp_path, monkeypatch):
    train_state, _ = train(TINY_RECIPES["vae"](), open_set(data), steps=1)
    generation = train_state.generation
    generation.encoder.head = torch.nn.Identity()
    generator_file.save(tmp_path / "half.safetensors", generation, train_state.experiment, FACTS)
    with pytest.raises(CorruptFileError):
        generator_file.load(tmp_path / "half.safetensors")


def test_the_second_stage_takes_over_and_does_not_change_the_first(data):
    train_state, rows = train(TINY_RECIPES["two_stage_vae"](), open_set(data), steps=5)
    assert ["second/kl" in row for row in rows] == [False] * 3 + [True] * 2
    assert ["first/kl" in row for row in rows] == [True] * 3 + [False] * 2
    first = {name: p.clone() for name, p in train_state.game.players()["first"].state_dict().items()}
    latents = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    assert int(train_state.game.stage.begun) == 1
    before = train_state.generation(latents)
    train_state.train_step()
    after = train_state.game.players()["first"].state_dict()
    assert all(torch.equal(value, after[name]) for name, value in first.items())
    assert not torch.equal(before, train_state.generation(latents))


def test_a_roll_back_to_the_first_stage_trains_it_as_before(data):
    """Its encoder normalises by batches again, and not by what it has seen."""
    dataset, tiny = open_set(data), TINY_RECIPES["two_stage_vae"]()
    whole = replace(
        tiny, game=replace(tiny.game, encoder=DCGANDiscriminator(width=4, norm="batch"), switch=32)
    )
    train_state, _ = train(whole, dataset, steps=1)
    saved, clock = (
        {name: tensor.clone() for name, tensor in train_state.tensors().items()},
        copy.copy(train_state.clock),
    )
    first = train_state.train_step()
    train_state.train_step()
    assert int(train_state.game.stage.begun)
    train_state.load(saved)
    train_state.clock = clock
    again = train_state.train_step()
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_many_codes_are_decoded_in_parts(data, monkeypatch):
    train_state, _ = train(perceptrons(open_set(data)), open_set(data))
    x = open_set(data).batch(range(6))[0]
    whole, (_, decoder) = (
        train_state.generation.log_likelihood(x, samples=30),
        train_state.generation.encoder_decoder(),
    )
    most = []
    decoder.network.register_forward_pre_hook(lambda module, args: most.append(len(args[0])))
    monkeypatch.setattr(autoencoder, "MAX_DECODED_VALUES", 4 * x.numel())
    parts = train_state.generation.log_likelihood(x, samples=30)
    assert max(most) == 4 * 6
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-6)


def test_sampled_codes_have_the_fitted_mean_and_covariance():
    fitted, draws = FittedNormal(2), torch.Generator().manual_seed(0)
    mix, mean_of_codes = torch.tensor([[2.0, 0.0], [1.5, 0.1]]), torch.tensor([5.0, -40.0])
    for _ in range(300):
        fitted.update(torch.randn(64, 2, generator=draws) @ mix.T + mean_of_codes)
    sampled_codes = fitted(torch.randn(20_000, 2, generator=draws))
    assert sampled_codes.mean(0).tolist() == pytest.approx(mean_of_codes.tolist(), abs=0.1)
    assert sampled_codes.T.cov().flatten().tolist() == pytest.approx(
        (mix @ mix.T).flatten().tolist(), rel=0.08
    )


@pytest.mark.parametrize("size", [8, 128])
def test_codes_on_a_line_are_sampled_too(size):
    """Rounding in float32 leaves their covariance a little indefinite."""
    fitted, draws = FittedNormal(size), torch.Generator().manual_seed(0)
    line = 3 * torch.randn(size, generator=draws)
    for _ in range(50):
        fitted.update(torch.randn(64, 1, generator=draws) * line)
    sampled_codes = fitted(torch.randn(2_000, size, generator=draws))
    along = sampled_codes @ line / line.norm()
    assert float(along.std() / line.norm()) == pytest.approx(1, abs=0.1)
    assert float((sampled_codes - along[:, None] * line / line.norm()).norm(dim=1).mean()) < 0.02 * float(
        line.norm()
    )


def test_the_fit_over_few_batches_is_that_of_all_their_codes():
    fitted, batches = FittedNormal(3), torch.randn(5, 32, 3, generator=torch.Generator().manual_seed(0))
    for number, batch in enumerate(batches):
        fitted.update(batch + number)
    whole = torch.cat([batch + number for number, batch in enumerate(batches)])
    assert torch.allclose(fitted.mean, whole.mean(0), atol=1e-5)
    assert torch.allclose(fitted.covariance, whole.T.cov(correction=0), atol=1e-4)


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("kind", ["points", "constant", "colour"])
def test_odd_data_trains(name, kind, data):
    dataset = open_set(data, kind)
    whole = RECIPES[name](Facts(spec=dataset.spec, count=len(dataset), images=64))
    if kind == "colour":  # convolutions of full width take long, and are tried elsewhere
        whole = replace(whole, game=replace(whole.game, encoder=THIN_BODY, decoder=THIN_GENERATOR))
    if name == "vae_gan":
        whole = replace(whole, game=replace(whole.game, discriminator=MLPDiscriminator(hidden=(8,))))
    if name == "two_stage_vae":
        whole = replace(whole, game=replace(whole.game, switch=8))
    train_state, rows = train(whole, dataset, steps=2, batch=8)
    assert all(np.isfinite(value) for row in rows for value in row.values())
    assert train_state.generation.sample(0, range(3)).isfinite().all()


@pytest.mark.parametrize(
    "likelihood", [Bernoulli(), Gaussian(deviation="pixel"), DiscretisedLogistic(deviation="pixel")]
)
@pytest.mark.parametrize("conditional", [False, True])
def test_any_likelihood_with_any_networks(likelihood, conditional, data):
    dataset = open_set(data)
    whole = perceptrons(dataset, likelihood=likelihood, conditional=conditional)
    whole = replace(whole, game=replace(whole.game, encoder=THIN_BODY, decoder=THIN_GENERATOR))
    train_state, _ = train(whole, dataset, batch=8)
    assert train_state.generation.sample(0, range(3)).shape == (3, 1, 16, 16)
    labels = torch.from_numpy(dataset.labels)
    back = reconstruct(train_state.generation, FACTS, np.asarray(dataset.samples), labels)
    assert back.shape == dataset.samples.shape
    if conditional:
        with pytest.raises(DataError, match="labels"):
            reconstruct(train_state.generation, FACTS, np.asarray(dataset.samples))


def test_invalid_combinations_are_refused(data):
    points = open_set(data, "points")
    with pytest.raises(ConfigError, match="points"):
        perceptrons(points, likelihood=Bernoulli()).game.build(points.spec)
    with pytest.raises(ConfigError, match="bounded"):
        replace(TINY_RECIPES["vae"]().game, decoder=ResNetGenerator())
    with pytest.raises(ConfigError, match="labels"):
        replace(TINY_RECIPES["vae"]().game, conditional=True).build(points.spec)
    with pytest.raises(ConfigError, match="dimension"):
        Normal(latent=10**9)
    for name, changed in (
        ("vae", {"beta": -1.0}),
        ("vae_gan", {"feature_weight": LinearSchedule(start=1.0, end=-1.0, duration=9)}),
    ):
        with pytest.raises(ConfigError, match="0 or more"):
            replace(TINY_RECIPES[name]().game, **changed)
    with pytest.raises(ConfigError, match="no density"):
        replace(TINY_RECIPES["iwae"]().game, posterior=Deterministic())
    with pytest.raises(ConfigError, match="4,096"):
        replace(TINY_RECIPES["ae"]().game, latent=10_000)
    grey = perceptrons(open_set(data, "constant"), likelihood=Bernoulli(binarise="none"))
    with pytest.raises(DataError, match="not a likelihood"):
        train(grey, open_set(data, "constant"), batch=8)
    with pytest.raises(SparringError, match="without a likelihood"):
        train(TINY_RECIPES["ae"](), open_set(data))[0].generation.log_likelihood(torch.zeros(4, 1, 16, 16))


def test_grey_data_is_refused_before_there_is_a_folder(data, tmp_path):
    discs = {"data": str(data / "discs.npz"), "recipe": "vae", "images": 64}
    more = ("game.likelihood.binarise=none", "training.batch=16", "training.sample_grid=1")
    toy.train(Request(**discs, settings=more), tmp_path / "binary")
    grey = Request(**discs | {"data": str(data / "constant.npz")}, settings=more)
    with pytest.raises(DataError, match="not a likelihood"):
        toy.train(grey, tmp_path / "grey")
    assert not (tmp_path / "grey").exists()


def test_a_code_of_one_number_and_the_decoder_follows_the_posterior(data):
    train_state, _ = train(perceptrons(open_set(data), Normal(latent=1)), open_set(data))
    assert train_state.generation.latent == 1
    document = config.apply_overrides(TINY_RECIPES["vae"]().to_json(), ["game.posterior.latent=7"])
    game = config.from_json(GameConfig, document["game"], TYPE_TABLES)
    assert (game.decoder.latent, game.decoder.output) == (7, "linear")


def test_a_denoising_autoencoder_adds_noise_to_its_input_alone(data):
    game = TINY_RECIPES["dae"]().game.build(open_set(data).spec)
    inputs = []
    game.generation.encoder.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    x = torch.ones(64, 1, 16, 16)
    game.turns()[0].terms(Batch(x=x, y=None, rng=KeyedRandom(0, (0,), 64), images=0, step=0))
    assert float((inputs[0] == -1).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert (x == 1).all()


def test_train_and_reconstruct_on_the_command_line(data, tmp_path, capsys):
    run = tmp_path / "run"
    thin = ["game.posterior.latent=2", "game.encoder.hidden=[16]", "game.decoder.hidden=[16]"]
    command = [
        "train",
        str(data / "discs.npz"),
        "--recipe",
        "vae",
        "--images",
        "128",
        "--out",
        str(run),
        "--quiet",
    ]
    command += [
        "--threads",
        "1",
        "--device",
        "cpu",
        *[word for setting in thin for word in ("--set", setting)],
    ]
    assert cli.run(command) == 0
    assert (run / "reconstructions.png").is_file()
    assert (run / "codes.png").is_file()
    assert json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["autoencoder/elbo"] < 0
    folder_of_images = tmp_path / "images"
    (folder_of_images / "inner").mkdir(parents=True)
    for name in ("a.png", "a.jpg", "inner/b.png"):
        Image.new("RGB", (30, 20), (250, 250, 250)).save(folder_of_images / name)
    capsys.readouterr()
    assert (
        cli.run(
            [
                "reconstruct",
                str(run),
                str(folder_of_images),
                "--out",
                str(tmp_path / "back"),
                "--device",
                "cpu",
            ]
        )
        == 0
    )
    back = {path.relative_to(tmp_path / "back").as_posix() for path in (tmp_path / "back").rglob("*.png")}
    assert back == {"a.png", "a.jpg.png", "inner/b.png"}
    captured = capsys.readouterr()
    assert "PSNR" in captured.out + captured.err


def test_reconstructing_with_a_gan_is_refused(data, tmp_path):
    train_state, _ = train(TINY_RECIPES["gan"](), open_set(data), steps=1)
    generator_file.save(tmp_path / "g.safetensors", train_state.generation, train_state.experiment, FACTS)
    with pytest.raises(SparringError, match="without an encoder"):
        load(tmp_path / "g.safetensors").reconstruct(np.asarray(train_state.stream.dataset.samples))
