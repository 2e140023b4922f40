"""Any query parameters give either a valid response or a client error."""

import string
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sparring.serve.http import Query
from tests.helpers.raw_asgi import HOST

ODD = [
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-400",
    "True",
    "null",
    "[]",
    "{}",
    "0x10",
    "9" * 400,
    "-0",
    "+1",
    "1_000",
    "１",
    " 1",
    "1\n",
    "%00",
    "",
    "s0.0",
]
ODD += [
    "s0.0*nan",
    "s0.0*1e9",
    "s-1.0",
    "s1",
    "z0_0",
    "zinf_0",
    "u1",
    "u99999999999",
    "pca-0:1",
    "pca-0:nan",
    "s0.0," * 9,
    "2147483648",
    "10000001",
]
USUAL = [
    "0",
    "1",
    "7",
    "64",
    "0.5",
    "1.0",
    "s0.1",
    "s0.1*0.5,s3.4*-1",
    "s2147483647.10000000",
    "spherical",
    "linear",
    "attributes",
]
NAMES = [
    "seed",
    "start",
    "n",
    "label",
    "blend_label",
    "blend_weight",
    "truncation",
    "point",
    "edits",
    "end",
    "end_edits",
    "steps",
    "kind",
    "index",
    "images",
    "digest",
]
PATHS = [
    "samples",
    "sample",
    "walk",
    "latent-map",
    "points",
    "nearest",
    "training-image",
    "training-points",
    "preview",
    "directions",
    "progress",
]
KNOWN = {
    "samples": ["seed", "start", "n", "label", "truncation", "blend_label", "blend_weight"],
    "sample": ["point", "edits", "label", "truncation", "blend_label", "blend_weight"],
    "walk": ["point", "end", "steps", "kind", "label"],
    "nearest": ["point", "n", "label"],
}
VALUE = st.one_of(
    st.sampled_from(USUAL),
    st.sampled_from(USUAL),
    st.sampled_from(ODD),
    st.text(string.printable, max_size=8),
)


@st.composite
def request_path(draw):
    path = draw(st.sampled_from(PATHS))
    names = KNOWN.get(path, NAMES) if draw(st.integers(0, 3)) else NAMES
    chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique=bool(draw(st.integers(0, 5)))))
    if path in ("sample", "walk", "nearest") and draw(st.integers(0, 3)):
        chosen = [*dict.fromkeys([*chosen, "point"])]
    if path == "walk" and "end" not in chosen:
        chosen.append("end")
    return f"/api/{path}?" + "&".join(f"{name}={draw(VALUE)}" for name in chosen)


def check_responses(explorer, paths: list[str]) -> tuple[int, list[str]]:
    """How many requests succeeded, and descriptions of the invalid responses."""
    own = [("host", HOST), ("cookie", explorer.cookie)]
    succeeded, invalid = 0, []
    for path, response in zip(
        paths, explorer.sequential([("GET", path, own) for path in paths]), strict=True
    ):
        if response.status == 200:
            succeeded += 1
            if response.header("content-type") == "image/png":
                size = Image.open(BytesIO(response.body)).size
                if size[0] * size[1] > 4_000_000:
                    invalid.append(f"{path}: {size}")
            else:
                assert isinstance(response.json, dict)
        elif response.status not in (400, 404, 409, 410, 414):
            invalid.append(f"{path}: {response.status}")
        elif b"Traceback" in response.body or b"/" + b"tmp" in response.body:
            invalid.append(f"{path}: {response.body!r}")
    return succeeded, invalid


def test_any_query_gives_a_response_or_an_error(explorer):
    succeeded = sent = 0

    @settings(
        max_examples=260,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(request_path(), min_size=20, max_size=20))
    def examine(paths):
        nonlocal succeeded, sent
        count, invalid = check_responses(explorer, paths)
        succeeded, sent = succeeded + count, sent + len(paths)
        assert invalid == []

    examine()
    assert sent >= 5_000
    assert succeeded > 200  # the handlers were reached


def test_unchecked_parameter_would_be_detected(explorer, monkeypatch, capsys):
    monkeypatch.setattr(
        Query, "integer", lambda self, name, low, high, default=None: int(self.values.get(name, default or 0))
    )
    paths = [f"/api/samples?n={odd}" for odd in ("nan", "[]", "-3", "1_000_000")] + [
        f"/api/samples?seed={'9' * 400}"
    ]
    assert check_responses(explorer, paths)[1] != []


@pytest.mark.parametrize(
    "path",
    [
        "/api/samples?n=65",
        "/api/samples?seed=1&seed=2",
        "/api/samples?none=1",
        "/api/sample?point=s0.0&edits=pca-0:1&x=1",
    ],
)
def test_unknown_or_repeated_parameters_are_refused(explorer, path):
    assert explorer.get(path).status == 400
