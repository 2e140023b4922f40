"""What every head and batch feature promises, over the tables."""

import pytest
import torch

from sparring.core.config import from_json, to_json
from sparring.core.errors import ConfigError, DataError
from sparring.parts.conditioning import BATCH_FEATURES, HEADS, BatchFeature, Conditioning

CLASSES, FEATURES = 3, 7
every_head = pytest.mark.parametrize("name", HEADS)
every_feature = pytest.mark.parametrize(
    "config", [cls() for cls in BATCH_FEATURES.values()], ids=BATCH_FEATURES
)
CONDITIONAL = {"concatenation", "projection"}


def features(rows: int = 5) -> torch.Tensor:
    return torch.randn(rows, FEATURES, generator=torch.Generator().manual_seed(0))


def labels(rows: int = 5) -> torch.Tensor:
    return torch.arange(rows) % CLASSES


@every_head
@pytest.mark.parametrize("spectral", [False, True])
def test_one_logit_a_sample_that_trains_every_parameter(name, spectral):
    head = HEADS[name]().build(FEATURES, CLASSES, spectral=spectral)
    f = features().requires_grad_()
    logits = head(f, labels())
    assert (logits.shape, logits.dtype) == ((5,), torch.float32)
    loss = logits.square().sum() + (head.classify(f).square().sum() if name == "auxiliary" else 0)
    loss.backward()
    assert [key for key, p in head.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert f.grad.any(1).all()


@every_head
def test_finite_at_large_features(name):
    head = HEADS[name]().build(FEATURES, CLASSES)
    assert head(1e4 * features(), labels()).isfinite().all()


@every_head
def test_labels_matter_to_conditional_heads_only(name):
    head, f = HEADS[name]().build(FEATURES, CLASSES), features()
    changed = not torch.equal(head(f, labels()), head(f, (labels() + 1) % CLASSES))
    assert changed or name not in CONDITIONAL
    if changed:  # then labels are required
        with pytest.raises(DataError, match="labels"):
            head(f, None)
    else:
        assert torch.equal(head(f, None), head(f, labels()))


@every_head
def test_classify_or_say_why_not(name):
    head = HEADS[name]().build(FEATURES, CLASSES)
    if name == "auxiliary":
        assert head.classify(features()).shape == (5, CLASSES)
    else:
        with pytest.raises(ConfigError, match=name):
            head.classify(features())


@every_head
def test_data_without_classes(name):
    if name == "unconditional":
        assert HEADS[name]().build(FEATURES, 0)(features(), None).shape == (5,)
    else:
        with pytest.raises(ConfigError, match="0 classes"):
            HEADS[name]().build(FEATURES, 0)


@every_head
def test_a_seed_gives_the_same_head(name):
    values = []
    for _ in range(2):
        torch.manual_seed(3)
        values.append(HEADS[name]().build(FEATURES, CLASSES)(features(), labels()))
    assert torch.equal(*values)


@every_head
def test_json_round_trip_of_heads(name):
    roles = {Conditioning: HEADS}
    config = HEADS[name]()
    assert to_json(config, roles)["type"] == name
    assert from_json(Conditioning, to_json(config, roles), roles) == config


@every_feature
@pytest.mark.parametrize("rows", [1, 2, 5, 8])
def test_batch_features_append_to_the_features(config, rows):
    layer, f = config.build(FEATURES), features(rows)
    out = layer(f)
    assert out.shape == (rows, layer.num_features)
    assert layer.num_features > FEATURES
    torch.testing.assert_close(out[:, :FEATURES], f)
    assert out.isfinite().all()
    assert layer(f.bfloat16() if not list(layer.parameters()) else f).dtype in (torch.bfloat16, torch.float32)


@every_feature
def test_batch_features_train_every_parameter_and_see_the_whole_batch(config):
    layer, f = config.build(FEATURES), features(4).requires_grad_()
    layer(f)[0, FEATURES:].sum().backward()
    assert all(parameter.grad.any() for parameter in layer.parameters())
    assert f.grad.any(1).all()


@every_feature
def test_json_round_trip_of_batch_features(config):
    roles = {BatchFeature: BATCH_FEATURES}
    assert from_json(BatchFeature, to_json(config, roles), roles) == config
