"""Whatever the parameters, the answer is a image or a refusal."""

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
    "looks",
]
NAMES = [
    "seed",
    "start",
    "n",
    "label",
    "towards",
    "share",
    "truncation",
    "at",
    "edit",
    "to",
    "toedit",
    "steps",
    "kind",
    "k",
    "number",
    "images",
    "v",
]
PATHS = [
    "wall",
    "picture",
    "walk",
    "map",
    "points",
    "closest",
    "real",
    "real-points",
    "sheet",
    "directions",
    "progress",
]
KNOWN = {
    "wall": ["seed", "start", "n", "label", "truncation", "towards", "share"],
    "picture": ["at", "edit", "label", "truncation", "towards", "share"],
    "walk": ["at", "to", "steps", "kind", "label"],
    "closest": ["at", "k", "label"],
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
    if path in ("picture", "walk", "closest") and draw(st.integers(0, 3)):
        chosen = [*dict.fromkeys([*chosen, "at"])]
    if path == "walk" and "to" not in chosen:
        chosen.append("to")
    return f"/api/{path}?" + "&".join(f"{name}={draw(VALUE)}" for name in chosen)


def verdicts(explorer, paths: list[str]) -> tuple[int, list[str]]:
    """How many gave a whole answer, and what is wrong with the rest."""
    own = [("host", HOST), ("cookie", explorer.cookie)]
    good, wrong = 0, []
    for path, answer in zip(paths, explorer.many([("GET", path, own) for path in paths]), strict=True):
        if answer.status == 200:
            good += 1
            if answer.header("content-type") == "image/png":
                size = Image.open(BytesIO(answer.body)).size
                if size[0] * size[1] > 4_000_000:
                    wrong.append(f"{path}: {size}")
            else:
                assert isinstance(answer.json, dict)
        elif answer.status not in (400, 404, 409, 410, 414):
            wrong.append(f"{path}: {answer.status}")
        elif b"Traceback" in answer.body or b"/" + b"tmp" in answer.body:
            wrong.append(f"{path}: {answer.body!r}")
    return good, wrong


def test_pictures_or_refusals(explorer):
    answered = asked = 0

    @settings(
        max_examples=260,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(request_path(), min_size=20, max_size=20))
    def examine(paths):
        nonlocal answered, asked
        good, wrong = verdicts(explorer, paths)
        answered, asked = answered + good, asked + len(paths)
        assert wrong == []

    examine()
    assert asked >= 5_000
    assert answered > 200  # the handlers were reached


def test_a_parameter_that_is_not_checked_would_be_seen(explorer, monkeypatch, capsys):
    monkeypatch.setattr(
        Query, "integer", lambda self, name, low, high, default=None: int(self.values.get(name, default or 0))
    )
    paths = [f"/api/wall?n={odd}" for odd in ("nan", "[]", "-3", "1_000_000")] + [
        f"/api/wall?seed={'9' * 400}"
    ]
    assert verdicts(explorer, paths)[1] != []


@pytest.mark.parametrize(
    "path",
    [
        "/api/wall?n=65",
        "/api/wall?seed=1&seed=2",
        "/api/wall?none=1",
        "/api/picture?at=s0.0&edit=pca-0:1&x=1",
    ],
)
def test_what_is_not_known_is_refused(explorer, path):
    assert explorer.get(path).status == 400
