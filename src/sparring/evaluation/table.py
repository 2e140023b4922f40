"""The table of metrics: a new one is a function in one of three files, a row here, and its meaning in words."""

from collections.abc import Callable

from sparring.evaluation import by_features, by_pairs, by_samples
from sparring.evaluation.job import Job, Measured

METRICS: dict[str, Callable[[Job], Measured]] = {
    "fd": by_features.fd,
    "fdinf": by_features.fdinf,
    "kd": by_features.kd,
    "is": by_features.inception,
    "prdc": by_features.prdc,
    "auth": by_features.auth,
    "pcfd": by_features.pcfd,
    "cas": by_features.cas,
    "swd": by_features.swd,
    "msssim": by_samples.msssim,
    "ppl": by_samples.ppl,
    "modes": by_samples.modes,
    "parzen": by_samples.parzen,
    "nll": by_samples.nll,
    "psnr": by_pairs.psnr,
    "ssim": by_pairs.ssim,
    "mae": by_pairs.mae,
    "perceptual": by_pairs.perceptual,
    "cycle": by_pairs.cycle,
    "drift": by_pairs.drift,
}
