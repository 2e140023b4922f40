"""Closed forms of the heads and of the batch features."""

import math

import pytest
import torch
import torch.nn.functional as F

from sparring.core.errors import ConfigError, DataError
from sparring.parts.conditioning import (
    Auxiliary,
    Concatenation,
    LabelEmbedding,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Projection,
    Unconditional,
)
from sparring.parts.conditioning.minibatch import group_standard_deviation


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


Y = torch.tensor([0, 2, 1, 2])


def test_projection_is_its_formula():
    head, f = Projection().build(6, 3), numbers(4, 6)
    v, w, c = head.embed.weight, head.psi.weight[0], head.psi.bias
    want = torch.stack([v[y] @ x + w @ x + c[0] for x, y in zip(f, Y, strict=True)])
    torch.testing.assert_close(head(f, Y), want)


def test_projection_starts_balanced():
    """|V_y . f| of standard normal features has a standard deviation near 1."""
    head = Projection().build(512, 200)
    assert (head.embed.weight @ numbers(512, 64)).std().item() == pytest.approx(1, rel=0.1)


def test_linear_is_its_formula_and_ignores_labels():
    head, f = Unconditional().build(6, 3), numbers(4, 6)
    torch.testing.assert_close(head(f, None), f @ head.logit.weight[0] + head.logit.bias)
    torch.testing.assert_close(head(f, Y), head(f, None))


def test_concatenation_is_its_formula():
    head, f = Concatenation(embedding=2, width=5).build(6, 3), numbers(4, 6)
    joint = (
        head.joint.weight[:, :6] @ f.T
        + head.joint.weight[:, 6:] @ head.embed.weight[Y].T
        + head.joint.bias[:, None]
    )
    joint = torch.where(joint > 0, joint, 0.2 * joint)
    torch.testing.assert_close(head(f, Y), (head.logit.weight @ joint)[0] + head.logit.bias)
    assert (head(f, Y) - head(f, (Y + 1) % 3)).abs().min() > 0


def test_auxiliary_has_two_maps():
    head, f = Auxiliary().build(6, 3), numbers(4, 6)
    torch.testing.assert_close(head(f, None), f @ head.logit.weight[0] + head.logit.bias)
    torch.testing.assert_close(head.classify(f), f @ head.classes.weight.T + head.classes.bias)


def test_label_embedding_appends_the_class_vector():
    embed, z = LabelEmbedding(3, 5), numbers(4, 2)
    out = embed(z, Y)
    assert (out.shape, embed.embedding_size) == ((4, 7), 5)
    torch.testing.assert_close(out[:, :2], z)
    torch.testing.assert_close(out[1], torch.cat([z[1], out[3, 2:]]))
    with pytest.raises(DataError, match="labels"):
        embed(z, None)


def test_label_embedding_without_classes_is_the_identity():
    embed, z = LabelEmbedding(0, 5), numbers(4, 2)
    assert embed(z, None) is z
    assert (embed.embedding_size, list(embed.parameters())) == (0, [])


def test_standard_deviation_of_two_poles():
    """Half of each group at +a, half at -a: the deviation is a."""
    f = torch.tensor([2.0, 2.0, -2.0, -2.0])[:, None].expand(4, 3)
    out = MinibatchStdDev(group_size=4).build(3)(f)
    torch.testing.assert_close(out, torch.cat([f, torch.full((4, 1), 2.0)], dim=1))


def test_standard_deviation_of_a_constant_batch_is_zero():
    f = torch.ones(8, 3, requires_grad=True)
    spread = MinibatchStdDev().build(3)(f)[:, 3]
    torch.testing.assert_close(spread, torch.full((8,), 1e-4), atol=1e-9, rtol=1e-3)  # sqrt of the 1e-8
    spread.sum().backward()
    assert f.grad.isfinite().all()


@pytest.mark.parametrize(("count", "group_size"), [(8, 4), (6, 4), (7, 2), (9, 4), (3, 4), (1, 4)])
def test_standard_deviation_of_any_batch(count, group_size):
    f, groups = numbers(count, 5), max(1, count // group_size)
    found = group_standard_deviation(f, group_size)
    for first in range(groups):
        want = (f[first::groups].var(0, correction=0) + 1e-8).sqrt().mean()
        torch.testing.assert_close(found[first::groups], want.expand(len(found[first::groups])))


def test_discrimination_is_its_formula():
    layer, f = MinibatchDiscrimination(kernels=4, dims=3).build(5), numbers(6, 5)
    places = (f @ layer.project.weight.T).reshape(6, 4, 3)
    out = layer(f)
    for i in range(6):
        want = sum(torch.exp(-(places[i] - places[j]).abs().sum(1)) for j in range(6) if j != i)
        torch.testing.assert_close(out[i, 5:], want)
    torch.testing.assert_close(out[:, :5], f)


def test_discrimination_detects_identical_samples():
    """All alike: each of the b - 1 others is at distance 0. Far apart: none counts."""
    layer = MinibatchDiscrimination(kernels=4).build(5)
    torch.testing.assert_close(layer(numbers(1, 5).expand(6, 5))[:, 5:], torch.full((6, 4), 5.0))
    assert layer(1e4 * numbers(6, 5))[:, 5:].max() < 1e-6


@pytest.mark.parametrize("config", [MinibatchStdDev(), MinibatchDiscrimination()])
def test_batch_features_differentiate_twice(config):
    """A gradient penalty on features that see the batch: the gradient of the gradient exists and is finite."""
    f = numbers(6, 5).requires_grad_()
    (gradient,) = torch.autograd.grad(config.build(5)(f)[:, 5:].square().sum(), f, create_graph=True)
    (again,) = torch.autograd.grad(gradient.square().sum(), f)
    assert again.isfinite().all()
    assert again.abs().max() > 0


def test_a_perfect_classifier_has_no_auxiliary_loss():
    head = Auxiliary().build(3, 3)
    with torch.no_grad():
        head.classes.weight.copy_(100 * torch.eye(3))
    assert F.cross_entropy(head.classify(F.one_hot(Y, 3).float()), Y).item() == pytest.approx(0, abs=1e-6)
    assert math.isfinite(F.cross_entropy(head.classify(F.one_hot(Y, 3).float()), (Y + 1) % 3).item())


def test_settings_out_of_range():
    bad = [
        lambda: Concatenation(width=0),
        lambda: MinibatchStdDev(group_size=1),
        lambda: MinibatchDiscrimination(kernels=0),
        lambda: LabelEmbedding(3, 0),
    ]
    for make in bad:
        with pytest.raises(ConfigError):
            make()
