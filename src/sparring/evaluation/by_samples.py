"""The metrics of samples themselves, of mixtures whose modes are known, and of the generator."""

import numpy as np
import torch
from torch import Tensor

from sparring import metrics
from sparring.data import to_output
from sparring.data.points import modes as mixture
from sparring.errors import ConfigError, DataError
from sparring.evaluation.job import Job, Measured

MIXTURES = ("ring", "grid")
SCORED = 1_000  # real samples whose likelihood is measured
EPSILON = 0.05  # the step in z: large enough that pictures of 256 shades change


def msssim(job: Job) -> Measured:
    """How alike two generated pictures are."""
    mean, error = metrics.ms_ssim_diversity(job.fake.samples, seed=job.seed)
    return Measured({"msssim": mean}, error, "standard error over 1,000 pairs")


def modes(job: Job) -> Measured:
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
    return Measured({**found, "of": float(len(means))}, None, "")


def parzen(job: Job) -> Measured:
    """Parzen-window log-likelihood: the first half of the real samples chooses the bandwidth, the other is scored."""
    real = job.real.features
    half = len(real) // 2
    found = metrics.parzen_log_likelihood(real[half:], job.fake.features, validation=real[:half])
    return Measured(
        {"parzen": found["log_likelihood"], "bandwidth": found["bandwidth"]},
        found["standard_error"],
        "standard error over the test samples",
    )


def ppl(job: Job) -> Measured:
    """Perceptual path length, in the extractor's features of the samples as they would be saved."""
    assert job.sampled is not None
    generation = job.sampled.generation
    if generation is None:
        raise DataError(
            f"the path length of {job.sampled.source or 'samples'}",
            "a generator: a run or a generator.safetensors",
            "choose a metric of samples",
        )
    device, extractor, units = next(generation.parameters()).device, job.fake.extractor, job.sampled.units
    draws = 0

    def generate(z: Tensor) -> Tensor:
        nonlocal draws
        job.fake.watch.poll()
        pairs = range(draws, draws + len(z) // 2)
        draws = pairs.stop
        y = generation.draw_labels(job.seed, pairs)
        labels = None if y is None else torch.cat([y, y]).to(device)
        return generation(z.to(device), labels).float().cpu()

    def distance(here: Tensor, there: Tensor) -> Tensor:
        sides = [extractor(to_output(x, generation.spec, units)).features.double() for x in (here, there)]
        return (sides[0] - sides[1]).square().sum(1)

    found = metrics.perceptual_path_length(
        generate, distance, generation.latent, pairs=job.count, epsilon=EPSILON, seed=job.seed
    )
    return Measured(
        {"ppl": found["path_length"], "step": EPSILON},
        found["standard_error"],
        "standard error over the paths",
    )


def nll(job: Job) -> Measured:
    """Negative log-likelihood of real samples; the count of the protocol is that of importance samples."""
    assert job.sampled is not None
    generation, units = job.sampled.generation, job.sampled.units
    if generation is None:
        raise DataError("the likelihood of samples", "a run of a variational autoencoder", "name a run")
    count = min(SCORED, len(job.real))
    samples = torch.from_numpy(np.array(job.real.bank.samples(0, count)))
    if generation.spec.is_image:
        x = samples.permute(0, 3, 1, 2).float() / 127.5 - 1
    else:
        centre, scale = (torch.tensor(units[name], dtype=torch.float32) for name in ("centre", "scale"))
        x = (samples - centre) / scale
    labels = job.real.bank.labels(0, count) if generation.spec.classes else None
    y = None if labels is None else torch.from_numpy(np.array(labels))
    found = generation.log_likelihood(x, y, samples=job.count, seed=job.seed)
    values = {"nll": -found.log_likelihood, "elbo": found.elbo, "kl": found.kl, "scored": float(count)}
    return Measured(values, found.standard_error, "standard error over the real samples")
