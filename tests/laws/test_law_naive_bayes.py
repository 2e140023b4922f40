"""Naive Bayes is counting; its divisions are planes; logistic regression finds one where there is one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from sparring.core.errors import ConfigError
from sparring.core.optimizers import Adam
from sparring.core.runtime import DeviceOptions
from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, Dataset, open_data
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.classifier import ClassifierConfig
from sparring.games.naive_bayes import ClassStatistics, NaiveBayesConfig
from sparring.models.classifier import ClassifierModel
from sparring.training.state import TrainState

SHAPE, CLASSES, NUMBER = (1, 3, 4), 3, 61  # of samples: not a multiple of any batch


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    draws, place = np.random.default_rng(0), tmp_path_factory.mktemp("counted") / "images.npz"
    labels = draws.choice(CLASSES, NUMBER, p=[0.6, 0.3, 0.1])
    images = draws.integers(0, 150 + 50 * labels[:, None, None, None], (NUMBER, 3, 4, 1)).astype(np.uint8)
    np.savez(place, images=images, labels=labels)
    return open_data(DataConfig(source=str(place)))


def train(game: object, data: Dataset, images: int = NUMBER, batch: int = 8, **training: int) -> TrainState:
    learners = {"classifier": Adam(lr=1e-2)} if isinstance(game, ClassifierConfig) else {}
    length = TrainingConfig(total_images=images, batch=batch, ema_half_life=0.0, **training)  # type: ignore[arg-type]
    experiment = Experiment(
        recipe="", data=DataConfig(), game=game, optimizers=learners, training=length.resolve()
    )  # type: ignore[arg-type]
    train_state = TrainState(experiment, data, DeviceOptions(device="cpu", precision="fp32").start())
    while train_state.clock.images < images:
        train_state.train_step()
    return train_state


def counts(train_state: TrainState) -> ClassStatistics:
    found = train_state.generation.generator
    assert isinstance(found, ClassStatistics)
    return found


def pixels(data: Dataset) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, y = data.batch(np.arange(len(data)))
    assert y is not None
    return x, x.flatten(1).double(), y


@pytest.mark.parametrize("images", [NUMBER, 3 * NUMBER + 5])
@pytest.mark.parametrize("micro", [None, 3])
def test_each_sample_is_counted_once(data: Dataset, images: int, micro: int | None) -> None:
    found = counts(train(NaiveBayesConfig(), data, images, micro_batch=micro))  # type: ignore[arg-type]
    _, flat, y = pixels(data)
    for label in range(CLASSES):
        white = (flat[y == label] > 0).double().sum(0)
        assert found.number[label] == (y == label).sum()
        torch.testing.assert_close(
            found.white_probability()[label], (white + 1.0) / ((y == label).sum() + 2.0)
        )
    assert found.number.dtype == torch.float64


def test_half_a_pass_counts_half(data: Dataset) -> None:
    assert counts(train(NaiveBayesConfig(), data, images=24)).number.sum() == 24


@pytest.mark.parametrize("shared_variance", [False, True])
def test_gaussians_have_the_moments_of_their_class(data: Dataset, shared_variance: bool) -> None:
    found = counts(
        train(NaiveBayesConfig(family="gaussian", shared_variance=shared_variance, variance_floor=0.2), data)
    )
    x, flat, y = pixels(data)
    mean = torch.stack([flat[y == label].mean(0) for label in range(CLASSES)])
    within = torch.stack([flat[y == label].var(0, correction=0) for label in range(CLASSES)])
    if shared_variance:
        within = (flat - mean[y]).square().mean(0).expand_as(mean)
    prior = ((torch.bincount(y) + 1.0) / (NUMBER + CLASSES)).log()
    expected = Normal(mean, (within + 0.2).sqrt()).log_prob(flat[:, None]).sum(2) + prior
    torch.testing.assert_close(found.log_joint(x), expected)
    torch.testing.assert_close(found.negative_log_joint(x, y), -expected[torch.arange(NUMBER), y])


def test_bernoulli_is_a_product_over_pixels(data: Dataset) -> None:
    found = counts(train(NaiveBayesConfig(smoothing=0.5), data))
    x, flat, _ = pixels(data)
    p, on = found.white_probability(), (flat > 0)[:, None]
    expected = torch.where(on, p.log(), (1 - p).log()).sum(2) + found.log_priors()
    torch.testing.assert_close(found.log_joint(x), expected)
    torch.testing.assert_close(
        found.log_probabilities(x).exp().sum(1), torch.ones(NUMBER, dtype=torch.float64)
    )


@pytest.mark.parametrize(("shared_variance", "plane"), [(True, True), (False, False)])
def test_classes_with_one_variance_are_divided_by_planes(
    data: Dataset, shared_variance: bool, plane: bool
) -> None:
    """Log-odds are linear: those of the middle of two samples are the mean of theirs."""
    found = counts(train(NaiveBayesConfig(family="gaussian", shared_variance=shared_variance), data))
    x, _, _ = pixels(data)
    odds = lambda x: found.log_joint(x)[:, 0] - found.log_joint(x)[:, 1]  # noqa: E731
    middle = odds((x[:20] + x[20:40]) / 2)
    assert torch.allclose(middle, (odds(x[:20]) + odds(x[20:40])) / 2, atol=1e-5) is plane


@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_samples_have_the_distribution_that_was_counted(data: Dataset, family: str) -> None:
    train_state = train(NaiveBayesConfig(family=family), data)  # type: ignore[arg-type]
    found, n = counts(train_state), 4_000
    samples = found(torch.randn(n, 12, generator=torch.Generator().manual_seed(0)), torch.ones(n, dtype=int))
    assert samples.shape == (n, *SHAPE)
    flat = samples.flatten(1).double()
    if family == "bernoulli":
        assert set(flat.unique().tolist()) == {-1.0, 1.0}
        torch.testing.assert_close(
            (flat > 0).double().mean(0), found.white_probability()[1], atol=0.03, rtol=0
        )
    else:
        mean, variance = found.mean_and_variance()
        torch.testing.assert_close(flat.mean(0), mean[1], atol=0.05, rtol=0)
        torch.testing.assert_close(flat.var(0), variance[1], atol=0.05, rtol=0)


def test_before_the_first_sample_all_classes_are_alike() -> None:
    for family in ("bernoulli", "gaussian"):
        fresh = (
            NaiveBayesConfig(family=family)
            .build_model(SampleSpec(shape=SHAPE, num_classes=CLASSES))
            .generator
        )  # type: ignore[arg-type]
        assert isinstance(fresh, ClassStatistics)
        log_p = fresh.log_probabilities(torch.rand(5, *SHAPE)).exp()
        torch.testing.assert_close(log_p, torch.full((5, CLASSES), 1 / CLASSES, dtype=torch.float64))


def test_a_class_without_samples_has_a_small_probability(data: Dataset) -> None:
    found = counts(train(NaiveBayesConfig(), data, images=8, batch=1, seed=0))
    assert found.log_priors().isfinite().all()
    assert found.log_joint(pixels(data)[0]).isfinite().all()


def test_logistic_regression_separates_separable_classes(tmp_path) -> None:
    draws = np.random.default_rng(1)
    images = draws.integers(0, 256, (90, 2, 2, 1)).astype(np.int64)
    labels = (images[:, 0, 0, 0] + 2 * images[:, 1, 1, 0] > 380).astype(int)
    away = np.abs(images[:, 0, 0, 0] + 2 * images[:, 1, 1, 0] - 380) > 30
    np.savez(tmp_path / "x.npz", images=images[away].astype(np.uint8), labels=labels[away])
    dataset = open_data(DataConfig(source=str(tmp_path / "x.npz")))
    train_state = train(ClassifierConfig(weight_decay=0.0), dataset, 64 * 400, 64)
    model, (x, y) = train_state.model_for_inference(), dataset.batch(np.arange(len(dataset)))
    assert isinstance(model, ClassifierModel)
    log_p = model.log_probabilities(x)
    assert (log_p.argmax(1) == y).all()
    torch.testing.assert_close(log_p.exp().sum(1), torch.ones(len(x)))
    pixel_weights = model.templates().flatten(1)
    torch.testing.assert_close(
        pixel_weights[1] / pixel_weights[1, 3], torch.tensor([0.5, 0, 0, 1]), atol=0.15, rtol=0
    )


def test_at_the_optimum_decay_equals_the_mean_gradient(data: Dataset) -> None:
    """decay W = E[(onehot(y) - p) x^T]: the condition of the minimum, with the whole set as the batch."""
    train_state = train(ClassifierConfig(weight_decay=0.1), data, NUMBER * 500, NUMBER)
    model = train_state.model_for_inference()
    assert isinstance(model, ClassifierModel)
    x, flat, y = pixels(data)
    left = torch.nn.functional.one_hot(y, CLASSES) - model.log_probabilities(x).exp()
    torch.testing.assert_close(
        0.1 * model.head.weight.double(), (left.double().T @ flat) / NUMBER, atol=2e-3, rtol=0
    )


def test_invalid_settings_are_refused(data: Dataset) -> None:
    with pytest.raises(ConfigError, match="0 classes"):
        ClassifierConfig().build(SampleSpec(shape=SHAPE))
    with pytest.raises(ConfigError, match="gaussian"):
        NaiveBayesConfig().build(SampleSpec(shape=(2,)))
    with pytest.raises(ConfigError, match="smoothing 0.0"):
        NaiveBayesConfig(smoothing=0.0)
    runtime = DeviceOptions(device="cpu", precision="fp32").start()
    training = TrainingConfig(total_images=8, batch=8).resolve()
    experiment = Experiment(
        recipe="", data=DataConfig(), game=NaiveBayesConfig(), optimizers={}, training=training
    )
    with pytest.raises(ConfigError, match="one process"):
        TrainState(experiment, data, replace(runtime, world_size=2))
