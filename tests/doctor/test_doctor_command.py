"""`sparring doctor` and the doctor's section of the report, on intact and damaged run folders."""

import html
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparring import doctor, report
from tests.helpers.toy import request, train, write_data


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("doctor")
    train(request(write_data(folder), steps=12), folder / "run")
    return folder / "run"


@pytest.fixture
def collapsed(trained: Path, tmp_path: Path) -> Path:
    """The same run with a record of mode collapse."""
    run = Path(shutil.copytree(trained, tmp_path / "collapsed"))
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


def test_a_healthy_run(sparring, trained: Path) -> None:
    code, out, _ = sparring("doctor", trained)
    assert code == 0
    assert "finished" in out
    assert "BAD" not in out
    assert doctor.examine(trained).verdict == "well"


def test_a_collapsed_run(sparring, collapsed: Path, tmp_path: Path) -> None:
    code, out, _ = sparring("doctor", collapsed, "--json", tmp_path / "found.json")
    assert code == 0
    assert "BAD" in out
    assert "Mode collapse since image 8,000" in out
    assert "last good checkpoint: image" in out
    assert f"sparring train --config {collapsed / 'run.json'}" in out
    document = json.loads((tmp_path / "found.json").read_text())
    assert document["verdict"] == "bad"
    assert document["findings"][0]["name"] == "collapse"
    assert document["findings"][0]["values"]["diversity"] == 0.01
    assert document == doctor.examine(collapsed).to_json() | {
        "findings": document["findings"],
        "limitations": document["limitations"],
    }


def test_a_folder_without_a_run_is_the_users_mistake(sparring, tmp_path: Path) -> None:
    code, out, err = sparring("doctor", tmp_path)
    assert (code, out) == (2, "")
    assert "run.json" in err


@pytest.mark.parametrize(
    "content", ["", "[]\n3\n", '{"images": 8}\n', '{"images": "x", "event": [], "protocol": 3}\n' * 4]
)
def test_damaged_records_do_no_harm(sparring, trained: Path, tmp_path: Path, content: str) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "odd"))
    for name in ("metrics.jsonl", "events.jsonl", "evaluations.jsonl"):
        (run / name).write_text(content)
    assert sparring("doctor", run)[0] == 0
    document = json.loads((run / "run.json").read_text())
    document["experiment"] = {"game": 3, "optimizers": [1], "training": {"total_images": "many"}}
    document["data"] = {"count": "few", "shape": 3}
    (run / "run.json").write_text(json.dumps(document))
    assert sparring("doctor", run)[0] == 0


def test_the_report_contains_the_diagnosis(collapsed: Path) -> None:
    evil = "<script>alert(1)</script>"
    event = {"event": "checkpoint_failed", "images": 10**9, "message": evil}
    (collapsed / "events.jsonl").write_text(json.dumps(event) + "\n")
    page = report.write(collapsed).read_text()
    for finding in doctor.examine(collapsed).findings:
        assert html.escape(finding.title) in page
    assert "diagnostics" in page
    assert page.count("<script>") == 1


def test_the_doctor_and_the_report_need_no_torch(collapsed: Path) -> None:
    """Neither to be imported, module by module, nor to run."""
    program = (
        "import importlib, pkgutil, sys\n"
        "from pathlib import Path\n"
        "from sparring import doctor, report\n"
        "for module in pkgutil.iter_modules(doctor.__path__):\n"
        "    importlib.import_module(f'sparring.doctor.{module.name}')\n"
        "for name in ('run_report', 'charts', 'html', 'gallery'):\n"
        "    importlib.import_module(f'sparring.report.{name}')\n"
        "doctor.examine(Path(sys.argv[1]))\n"
        "report.write(Path(sys.argv[1]))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(collapsed)], check=True, timeout=60)
