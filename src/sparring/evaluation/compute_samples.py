"""Metrics that are computed from samples, from the generator, or from pairs of images."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from sparring import metrics
from sparring.core.errors import ConfigError, DataError
from sparring.data import to_output
from sparring.data.readers.points import mixture_modes as mixture
from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.metric_input import MetricInput, MetricValue
from sparring.protocols.defaults import MIXTURES

NLL_SAMPLES = 1_000  # real samples whose likelihood is measured
PPL_EPSILON = 0.05  # the step in z: large enough that images of 256 shades change


def msssim(job: MetricInput) -> MetricValue:
    """How alike two generated images are."""
    mean, error = metrics.ms_ssim_diversity(job.fake.samples, seed=job.seed)
    return MetricValue({"msssim": mean}, error, "standard error over 1,000 pairs")


def modes(job: MetricInput) -> MetricValue:
    """Modes found, share of good samples, reverse KL."""
    if job.reference.source not in MIXTURES:
        raise ConfigError(
            f"modes of {job.reference.source or 'this set'}",
            f"a set whose modes are known: {' or '.join(MIXTURES)}",
            "choose another metric, such as swd",
        )
    means, std = mixture(job.reference.source)
    found = metrics.mode_coverage(job.fake.features, means, std)
    del found["floor"]
    return MetricValue({**found, "of": float(len(means))}, None, "")


def parzen(job: MetricInput) -> MetricValue:
    """Parzen-window log-likelihood: the first half of the real samples chooses the bandwidth, the other is scored."""
    real = job.real.features
    half = len(real) // 2
    found = metrics.parzen_log_likelihood(real[half:], job.fake.features, validation=real[:half])
    return MetricValue(
        {"parzen": found["log_likelihood"], "bandwidth": found["bandwidth"]},
        found["standard_error"],
        "standard error over the test samples",
    )


def ppl(job: MetricInput) -> MetricValue:
    """Perceptual path length, in the extractor's features of the samples as they would be saved."""
    assert job.generated is not None
    generation = job.generated.generation
    if generation is None:
        raise DataError(
            f"the path length of {job.generated.source or 'samples'}",
            "a generator: a run or a generator.safetensors",
            "choose a metric of samples",
        )
    device, extractor, units = next(generation.parameters()).device, job.fake.extractor, job.generated.units
    draws = 0

    def generate(z: Tensor) -> Tensor:
        nonlocal draws
        job.fake.monitor.poll()
        pairs = range(draws, draws + len(z) // 2)
        draws = pairs.stop
        y = generation.draw_labels(job.seed, pairs)
        labels = None if y is None else torch.cat([y, y]).to(device)
        return generation(z.to(device), labels).float().cpu()

    def distance(here: Tensor, there: Tensor) -> Tensor:
        sides = [extractor(to_output(x, generation.spec, units)).features.double() for x in (here, there)]
        return (sides[0] - sides[1]).square().sum(1)

    found = metrics.perceptual_path_length(
        generate, distance, generation.latent, pairs=job.count, epsilon=PPL_EPSILON, seed=job.seed
    )
    return MetricValue(
        {"ppl": found["path_length"], "step": PPL_EPSILON},
        found["standard_error"],
        "standard error over the paths",
    )


def nll(job: MetricInput) -> MetricValue:
    """Negative log-likelihood of real samples; the count of the protocol is that of importance samples."""
    assert job.generated is not None
    generation, units = job.generated.generation, job.generated.units
    if generation is None:
        raise DataError("the likelihood of samples", "a run of a variational autoencoder", "name a run")
    count = min(NLL_SAMPLES, len(job.real))
    samples = torch.from_numpy(np.array(job.real.bank.samples(0, count)))
    if generation.spec.is_image:
        x = samples.permute(0, 3, 1, 2).float() / 127.5 - 1
    else:
        centre, scale = (torch.tensor(units[name], dtype=torch.float32) for name in ("centre", "scale"))
        x = (samples - centre) / scale
    labels = job.real.bank.labels(0, count) if generation.spec.num_classes else None
    y = None if labels is None else torch.from_numpy(np.array(labels))
    found = generation.log_likelihood(x, y, samples=job.count, seed=job.seed)
    values = {"nll": -found.log_likelihood, "elbo": found.elbo, "kl": found.kl, "scored": float(count)}
    return MetricValue(values, found.standard_error, "standard error over the real samples")


PAIR_BLOCK = 64
MAX_PSNR = 10 * np.log10(
    12 * 255**2
)  # dB of an error of 1/12 squared shades, which rounding to whole shades makes
ERROR_METHOD = "standard error over the images"

PairFormula = Callable[[np.ndarray, np.ndarray], Tensor]


def psnr(job: MetricInput) -> MetricValue:
    """Mean over the images of each one's ratio in dB."""
    return _mean_over_images("psnr", _clamped_psnr, job.real, job.fake)


def ssim(job: MetricInput) -> MetricValue:
    """Mean structural similarity."""
    return _mean_over_images("ssim", metrics.ssim, job.real, job.fake)


def mae(job: MetricInput) -> MetricValue:
    """Mean absolute difference in shades."""
    return _mean_over_images("mae", metrics.l1, job.real, job.fake)


def perceptual(job: MetricInput) -> MetricValue:
    """Mean squared distance of features of unit length; those of the Fréchet and kernel distances, computed once for all."""
    return _to_metric_value("perceptual", [metrics.feature_distance(job.real.features, job.fake.features)])


def drift(job: MetricInput) -> MetricValue:
    """Mean content drift between input and output."""
    assert job.inputs is not None, "refused before"
    return _mean_over_images("drift", metrics.edge_drift, job.inputs, job.fake)


def cycle(job: MetricInput) -> MetricValue:
    """Mean ratio in dB between the inputs and what comes back; in between, images have whole shades as when they are saved, so
    that nothing can be hidden in their fractions."""
    assert job.inputs is not None, "refused before"
    origin = job.generated.origin if job.generated is not None else None
    back = origin.translate_back if origin is not None else None
    assert back is not None, "refused before"
    return _mean_over_images(
        "cycle", lambda inputs, made: _clamped_psnr(inputs, back(made)), job.inputs, job.fake
    )


def _clamped_psnr(real: np.ndarray, fake: np.ndarray) -> Tensor:
    return metrics.psnr(real, fake).clamp_max(MAX_PSNR)


def _mean_over_images(name: str, formula: PairFormula, first: SampleView, second: SampleView) -> MetricValue:
    return _to_metric_value(name, [formula(one, other) for one, other in _paired_blocks(first, second)])


def _to_metric_value(name: str, parts: list[Tensor]) -> MetricValue:
    each = torch.cat(parts).double()
    error = each.std().item() / len(each) ** 0.5 if len(each) > 1 else None
    return MetricValue({name: each.mean().item()}, error, ERROR_METHOD)


def _paired_blocks(first: SampleView, second: SampleView) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    assert len(first) == len(second)
    for at in range(0, len(first), PAIR_BLOCK):
        first.monitor.poll()
        stop = min(at + PAIR_BLOCK, len(first))
        yield tuple(side.bank.samples(side.start + at, side.start + stop) for side in (first, second))  # type: ignore[misc]
