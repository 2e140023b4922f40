import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache of its own for each test."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SPARRING_CACHE", str(place))
    return place
