"""Each network is exported to ONNX once per process: the same network with the same metadata gives the same bytes."""

import hashlib

import pytest

from sparring.export import onnx, web

SERIALIZE, CACHE = onnx.serialize_onnx, {}


def serialize_cached(graph, metadata):
    """`onnx.serialize_onnx` with a cache keyed by graph, weights and metadata."""
    weights = hashlib.sha256()
    for tensor in graph.module.state_dict().values():
        weights.update(tensor.contiguous().numpy().tobytes())
    key = (str(graph.module), graph.inputs, str(graph.dynamic_axes), weights.hexdigest(), metadata)
    if key not in CACHE:
        CACHE[key] = SERIALIZE(graph, metadata)
    return CACHE[key]


@pytest.fixture(autouse=True)
def cache_onnx(monkeypatch):
    for module in (onnx, web):
        monkeypatch.setattr(module, "serialize_onnx", serialize_cached)
