"""Fréchet and kernel distance against torch-fidelity, torchmetrics, clean-fid and pytorch-fid, and which argument is which."""

import mpmath
import numpy as np
import pytest
import torch

from sparring.metrics import frechet_distance, inception_score, kernel_distance
from sparring.metrics.kernel_mmd import mmd_squared

pytest.importorskip("torch_fidelity", reason="`make oracle` has the packages to compare with")
from cleanfid import fid as cleanfid
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity import metric_fid, metric_isc, metric_kid
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
FULL_RANK, SINGULAR = ["random", "lite, 160"], ["lite, 640", "pixels"]


def fidelity(real, fake):
    first, second = (metric_fid.fid_features_to_statistics(side) for side in (fake, real))
    return metric_fid.fid_statistics_to_metric(first, second, False)["frechet_inception_distance"]


class AsTheyAre(torch.nn.Module):
    """Lets torchmetrics take features for images."""

    def __init__(self, width):
        super().__init__()
        self.num_features = width

    def forward(self, images):
        return images.flatten(1)


def torchmetrics(real, fake):
    metric = FrechetInceptionDistance(feature=AsTheyAre(real.shape[1]), input_img_size=(1, 1, real.shape[1]))
    metric.set_dtype(torch.float64)
    metric.update(real[:, None, None], real=True)
    metric.update(fake[:, None, None], real=False)
    return metric.compute().item()


def moments(side):
    return side.numpy().mean(0), np.cov(side.numpy(), rowvar=False)


FRECHET = {
    "torch-fidelity": fidelity,
    "torchmetrics": torchmetrics,
    "clean-fid": lambda real, fake: cleanfid.frechet_distance(*moments(fake), *moments(real)),
    "pytorch-fid": lambda real, fake: calculate_frechet_distance(*moments(real), *moments(fake)),
}


@pytest.mark.parametrize("package", FRECHET)
@pytest.mark.parametrize("name", FULL_RANK)
def test_frechet_distance(pairs, agree, name, package):
    real, fake = pairs[name]
    agree(f"Fréchet distance, {package}", frechet_distance(real, fake), FRECHET[package](real, fake), 1e-9)


@pytest.mark.parametrize("name", SINGULAR)
def test_frechet_distance_of_fewer_samples_than_features(pairs, agree, name):
    """The others take roots of rounding errors here, so the expected value is the definition by the singular values of F_r F_f'."""
    real, fake = pairs[name]
    a, b = ((side - side.mean(0)) / (len(side) - 1) ** 0.5 for side in (real, fake))
    exact = np.linalg.svd((a @ b.T).numpy(), compute_uv=False).sum()
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    expected = (shift + a.square().sum() + b.square().sum() - 2 * exact).item()
    ours = frechet_distance(real, fake)
    agree("Fréchet distance of fewer samples than features, its definition", ours, expected, 1e-9)
    for package in ("torch-fidelity", "torchmetrics"):
        theirs = FRECHET[package](real, fake)
        agree(f"Fréchet distance of fewer samples than features, {package}", ours, theirs, 1e-4)


def test_frechet_distance_to_sixty_digits():
    """8 samples of 12 features: eigenvalues of S_r S_f with mpmath. Of the zeros among them the others take roots of rounding."""
    real, fake = (torch.randn(8, 12, generator=torch.Generator().manual_seed(i)).double() for i in (0, 1))
    with mpmath.workdps(60):
        tables = [mpmath.matrix(side.tolist()) for side in (real, fake)]
        middle = mpmath.eye(8) - mpmath.ones(8) / 8
        a, b = (table.T * middle * table / 7 for table in tables)
        shift = mpmath.ones(1, 8) * (tables[0] - tables[1]) / 8
        roots = [mpmath.re(mpmath.sqrt(value)) for value in mpmath.eig(a * b, right=False)]
        traces = sum(a[i, i] + b[i, i] for i in range(12))
        truth = float(mpmath.norm(shift) ** 2 + traces - 2 * mpmath.fsum(roots))
    ours_off = abs(frechet_distance(real, fake) / truth - 1)
    theirs_off = abs(fidelity(real, fake) / truth - 1)
    assert ours_off < 1e-13 < 1e-10 < theirs_off < 1e-6


@pytest.mark.parametrize("name", FULL_RANK + SINGULAR)
def test_kernel_distance_on_the_same_subsets(pairs, agree, name):
    """torch-fidelity draws generated ones first; its spread is that of the subsets, ours the standard error of their mean."""
    real, fake = pairs[name]
    subsets, size, seed = 12, 150, 7
    settings = {"kid_subsets": subsets, "kid_subset_size": size, "rng_seed": seed, "verbose": False}
    theirs = metric_kid.kid_features_to_metric(fake, real, **settings)
    random, chosen = np.random.RandomState(seed), []
    for _ in range(subsets):
        taken = [random.choice(len(side), size, replace=False) for side in (fake, real)]
        chosen.append((torch.from_numpy(taken[1]), torch.from_numpy(taken[0])))
    mean, error = kernel_distance(real, fake, subsets_chosen=chosen)
    agree("kernel distance, subsets, torch-fidelity", mean, theirs["kernel_inception_distance_mean"], 1e-9)
    spread = error * (subsets - 1) ** 0.5
    agree("its spread, torch-fidelity", spread, theirs["kernel_inception_distance_std"], 1e-9)
    values = [poly_mmd(real[r], fake[f]).item() for r, f in chosen]
    agree("kernel distance, subsets, torchmetrics", mean, np.mean(values), 1e-9)


@pytest.mark.parametrize("name", FULL_RANK + SINGULAR)
def test_kernel_distance_of_all_samples(pairs, agree, name):
    real, fake = (side[:200] for side in pairs[name])
    ours = mmd_squared(real, fake)
    theirs = cleanfid.kernel_distance(fake.numpy(), real.numpy(), num_subsets=1, max_subset_size=200)
    agree("kernel distance, all samples, clean-fid", ours, theirs, 1e-9)
    agree("kernel distance, all samples, torchmetrics", ours, poly_mmd(real, fake).item(), 1e-9)
    theirs = metric_kid.kernel_mmd(fake.numpy(), real.numpy())
    agree("kernel distance, all samples, torch-fidelity", ours, theirs, 1e-9)


@pytest.mark.parametrize("splits", [1, 7, 10])
def test_inception_score(extracted, agree, splits):
    for logits in (extracted[0].logits, 4 * torch.randn(503, 20, generator=torch.Generator().manual_seed(1))):
        theirs = metric_isc.isc_features_to_metric(logits, splits=splits, shuffle=False)
        agree("Inception score, torch-fidelity", inception_score(logits, splits), list(theirs.values()), 1e-9)
