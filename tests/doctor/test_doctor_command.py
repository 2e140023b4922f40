"""`sparring doctor` and its section of the report: plain words, robust to what lies in the folder."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparring import report
from tests.helpers.toy import play, request, write_data


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    room = tmp_path_factory.mktemp("doctor")
    play(request(write_data(room), steps=12), room / "run")
    return room / "run"


@pytest.fixture
def ill(trained: Path, tmp_path: Path) -> Path:
    """The same, with a record of a collapse."""
    run = Path(shutil.copytree(trained, tmp_path / "ill"))
    rows = [
        {
            "images": at * 8,
            "step": at,
            "diag/diversity": 0.9 if at < 1_000 else 0.01,
            "diag/near_duplicates": 0.0,
        }
        for at in range(100, 2_001, 100)
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"images": 9')
    return run


def test_it_says_that_nothing_is_wrong(sparring, trained: Path) -> None:
    code, out, _ = sparring("doctor", trained)
    assert code == 0
    assert "Nothing is wrong" in out
    assert "finished" in out
    assert "BAD" not in out


def test_it_names_what_is_wrong_and_what_to_do(sparring, ill: Path, tmp_path: Path) -> None:
    code, out, _ = sparring("doctor", ill, "--json", tmp_path / "found.json")
    assert code == 0
    assert "BAD" in out
    assert "Samples repeat since image 8,000" in out
    assert "last good checkpoint: image" in out
    assert f"sparring train --config {ill / 'run.json'}" in out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["verdict"] == "bad"
    assert found["findings"][0]["name"] == "collapse"
    assert found["findings"][0]["figures"]["diversity"] == 0.01
    code, out, _ = sparring("doctor", ill, "--json", "-")
    assert json.loads(out) == found


def test_what_is_no_run_is_the_users_mistake(sparring, tmp_path: Path) -> None:
    code, out, err = sparring("doctor", tmp_path)
    assert (code, out) == (2, "")
    assert "do this: give the folder" in err


@pytest.mark.parametrize(
    "content", ["", "[]\n3\n", '{"images": 8}\n', '{"images": "x", "event": [], "protocol": 3}\n' * 4]
)
def test_odd_records_do_no_harm(sparring, trained: Path, tmp_path: Path, content: str) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "odd"))
    for name in ("metrics.jsonl", "events.jsonl", "evaluations.jsonl"):
        (run / name).write_text(content)
    assert sparring("doctor", run)[0] == 0
    document = json.loads((run / "run.json").read_text())
    document["experiment"] = {"game": 3, "optimizers": [1], "training": {"total_images": "many"}}
    document["data"] = {"count": "few", "shape": 3}
    (run / "run.json").write_text(json.dumps(document))
    assert sparring("doctor", run)[0] == 0


def test_the_report_says_the_same(ill: Path) -> None:
    evil = "<script>alert(1)</script>"
    (ill / "events.jsonl").write_text(
        json.dumps({"event": "checkpoint_failed", "images": 10**9, "why": evil}) + "\n"
    )
    page = report.write(ill).read_text()
    assert "The doctor" in page
    assert "Samples repeat since image 8,000" in page
    assert "vital signs, of 1" in page
    assert page.count("<script>") == 1


def test_it_needs_no_torch(ill: Path) -> None:
    program = "import sys\nfrom sparring import cli\ncli.run(['doctor', sys.argv[1]])\nassert 'torch' not in sys.modules"
    subprocess.run(
        [sys.executable, "-c", program, str(ill)], check=True, timeout=60, stdout=subprocess.DEVNULL
    )
