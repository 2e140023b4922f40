"""Metrics that are computed from samples, from the generator, or from pairs of images."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from sparring import metrics
from sparring.core.errors import ConfigError, DataError
from sparring.data import to_input, to_output
from sparring.data.readers.points import mixture_modes
from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.metric_input import MetricInput, MetricValue
from sparring.protocols.catalogue import METRICS_INFO

NLL_SAMPLES = 1_000  # real samples whose likelihood is estimated
PPL_EPSILON = 0.05  # step in latent space: large enough to change images of 256 grey levels
PAIR_BLOCK = 64  # pairs of images that are compared together
MAX_PSNR = 10 * np.log10(12 * 255**2)  # dB of the rounding error, 1/12 squared grey levels
ERROR_METHOD = "standard error over the images"

PairFormula = Callable[[np.ndarray, np.ndarray], Tensor]


def msssim(job: MetricInput) -> MetricValue:
    """Mean structural similarity of pairs of generated images."""
    mean, error = metrics.ms_ssim_diversity(job.fake.samples, seed=job.seed)
    return MetricValue({"msssim": mean}, error, "standard error over 1,000 pairs")


def modes(job: MetricInput) -> MetricValue:
    """Modes with a sample near them, fraction of high-quality samples, reverse KL divergence."""
    source, known = job.reference.source, METRICS_INFO["modes"].sources
    if source not in known:
        raise ConfigError(
            f"modes of {source or 'this data set'}",
            f"a data set with known modes: {' or '.join(known)}",
            "choose another metric, such as swd",
        )
    means, std = mixture_modes(source)
    values = metrics.mode_coverage(job.fake.features, means, std)
    del values["floor"]
    return MetricValue({**values, "of": float(len(means))})


def parzen(job: MetricInput) -> MetricValue:
    """Parzen-window log-likelihood of half of the real samples; the other half chooses the bandwidth."""
    real = job.real.features
    half = len(real) // 2
    estimate = metrics.parzen_log_likelihood(real[half:], job.fake.features, validation=real[:half])
    return MetricValue(
        {"parzen": estimate["log_likelihood"], "bandwidth": estimate["bandwidth"]},
        estimate["standard_error"],
        "standard error over the test samples",
    )


def ppl(job: MetricInput) -> MetricValue:
    """Perceptual path length, in features of the samples rounded to whole grey levels."""
    assert job.generated is not None
    generator = job.generated.generator
    if generator is None:
        raise DataError(
            f"the path length of {job.generated.source or 'samples'}",
            "a generator: a run or a generator.safetensors",
            "choose a metric of samples",
        )
    device, extractor, units = next(generator.parameters()).device, job.fake.extractor, job.generated.units
    num_pairs = 0

    def generate(z: Tensor) -> Tensor:
        nonlocal num_pairs
        job.fake.monitor.poll()
        pairs = range(num_pairs, num_pairs + len(z) // 2)
        num_pairs = pairs.stop
        y = generator.draw_labels(job.seed, pairs)
        labels = None if y is None else torch.cat([y, y]).to(device)
        return generator(z.to(device), labels).float().cpu()

    def distance(x: Tensor, x_step: Tensor) -> Tensor:
        a, b = (extractor(to_output(one, generator.spec, units)).features.double() for one in (x, x_step))
        return (a - b).square().sum(1)

    estimate = metrics.perceptual_path_length(
        generate, distance, generator.latent, pairs=job.count, epsilon=PPL_EPSILON, seed=job.seed
    )
    return MetricValue(
        {"ppl": estimate["path_length"], "step": PPL_EPSILON},
        estimate["standard_error"],
        "standard error over the paths",
    )


def nll(job: MetricInput) -> MetricValue:
    """Negative log-likelihood of real samples; the count of the protocol is the number of importance samples."""
    assert job.generated is not None
    generator, units = job.generated.generator, job.generated.units
    if generator is None:
        raise DataError("the likelihood of samples", "a run of a variational autoencoder", "name a run")
    count = min(NLL_SAMPLES, len(job.real))
    samples = np.array(job.real.bank.samples(0, count))
    if generator.spec.is_image:
        x = to_input(samples)
    else:
        centre, scale = (torch.tensor(units[name], dtype=torch.float32) for name in ("centre", "scale"))
        x = (torch.from_numpy(samples) - centre) / scale
    labels = job.real.bank.labels(0, count) if generator.spec.num_classes else None
    y = None if labels is None else torch.from_numpy(np.array(labels))
    estimate = generator.log_likelihood(x, y, samples=job.count, seed=job.seed)
    values = {
        "nll": -estimate.log_likelihood,
        "elbo": estimate.elbo,
        "kl": estimate.kl,
        "scored": float(count),
    }
    return MetricValue(values, estimate.standard_error, "standard error over the real samples")


def psnr(job: MetricInput) -> MetricValue:
    """Mean peak signal-to-noise ratio of the images, in dB."""
    return _mean_over_images(job, "psnr", _clamped_psnr, job.real, job.fake)


def ssim(job: MetricInput) -> MetricValue:
    """Mean structural similarity."""
    return _mean_over_images(job, "ssim", metrics.ssim, job.real, job.fake)


def mae(job: MetricInput) -> MetricValue:
    """Mean absolute error in grey levels."""
    return _mean_over_images(job, "mae", metrics.l1, job.real, job.fake)


def perceptual(job: MetricInput) -> MetricValue:
    """Mean squared distance of features scaled to unit length."""
    return _to_metric_value(
        job, "perceptual", [metrics.feature_distance(job.real.features, job.fake.features)]
    )


def drift(job: MetricInput) -> MetricValue:
    """Mean content drift: edges of the input that are not in the output."""
    assert job.inputs is not None, "checked by require_measurable"
    return _mean_over_images(job, "drift", metrics.edge_drift, job.inputs, job.fake)


def cycle(job: MetricInput) -> MetricValue:
    """Mean peak signal-to-noise ratio in dB between the inputs and their translations there and back. In between,
    images are rounded to whole grey levels, so that a translator can't hide information in fractions of them.
    """
    assert job.inputs is not None, "checked by require_measurable"
    origin = job.generated.origin if job.generated is not None else None
    translate_back = origin.translate_back if origin is not None else None
    assert translate_back is not None, "checked by require_measurable"
    return _mean_over_images(
        job,
        "cycle",
        lambda inputs, fake: _clamped_psnr(inputs, translate_back(fake)),
        job.inputs,
        job.fake,
    )


def _clamped_psnr(real: np.ndarray, fake: np.ndarray) -> Tensor:
    return metrics.psnr(real, fake).clamp_max(MAX_PSNR)


def _mean_over_images(
    job: MetricInput, name: str, formula: PairFormula, first: SampleView, second: SampleView
) -> MetricValue:
    return _to_metric_value(job, name, [formula(a, b) for a, b in _paired_blocks(first, second)])


def _to_metric_value(job: MetricInput, name: str, parts: list[Tensor]) -> MetricValue:
    values = torch.cat(parts).double()
    error = values.std().item() / len(values) ** 0.5 if len(values) > 1 else None
    total, count = values.sum(), len(values)
    leaving_out = [
        ((total - values[block].sum()) / (count - (block.stop - block.start))).item()
        for block in job.block_slices
    ]
    return MetricValue({name: values.mean().item()}, error, ERROR_METHOD, leaving_out=tuple(leaving_out))


def _paired_blocks(first: SampleView, second: SampleView) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks (n, h, w, c) of the i-th samples of both sides."""
    assert len(first) == len(second)
    for at in range(0, len(first), PAIR_BLOCK):
        first.monitor.poll()
        stop = min(at + PAIR_BLOCK, len(first))
        a, b = (view.bank.samples(view.start + at, view.start + stop) for view in (first, second))
        yield a, b
