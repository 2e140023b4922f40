"""The report: self-contained, escaped, and robust to what lies in the folder."""

import json
import re
import shutil
from pathlib import Path

import pytest

from sparring import report


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def test_the_report_shows_the_whole_run(sparring, run: Path) -> None:
    code, out, _ = sparring("report", run)
    page = (run / "report.html").read_text()
    assert code == 0
    assert out.strip() == str(run / "report.html")
    for fact in (
        "finished",
        "recipe cgan",
        "losses of the generator",
        "on generated",
        "3 skipped",
        "notes.txt",
        "Nothing unusual",
    ):
        assert fact.replace("3 skipped", "skipped 3") in page
    assert page.count("data:image/") >= 3
    assert "polyline" in page
    assert 'type="range"' in page


def test_the_report_refers_to_nothing_outside(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)""", page) == []
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "@import" not in page


def test_names_from_files_are_escaped(copy: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    document = json.loads((copy / "run.json").read_text())
    document["experiment"]["data"]["source"] = evil
    document["machine"][evil] = evil
    (copy / "run.json").write_text(json.dumps(document))
    sheet = json.loads((copy / "data.json").read_text())
    sheet["skipped"], sheet["classes"], sheet["why"] = [[evil, evil]], {evil: 3}, [evil]
    (copy / "data.json").write_text(json.dumps(sheet))
    (copy / "events.jsonl").write_text(json.dumps({"event": evil, "images": evil, evil: evil}) + "\n")
    with open(copy / "metrics.jsonl", "a") as file:
        file.write(json.dumps({"images": 70, f"generator/{evil}": 1.0, f"{evil}/x": 2.0, "y": evil}) + "\n")
    page = report.write(copy).read_text()
    assert page.count("<script>") == 1
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;") > 8
    assert "light &lt;script&gt;" in page or "&lt;script&gt;alert" in page


def test_missing_and_damaged_files_cost_only_their_section(copy: Path) -> None:
    shutil.rmtree(copy / "checkpoints")
    (copy / "data.json").write_text("[1, 2")
    (copy / "metrics.jsonl").write_text('{"images": 5, "generator/adversarial": null}\n[]\n{"images"')
    (copy / "events.jsonl").write_bytes(b"\xff\xfe\n")
    (copy / "data.png").write_bytes(b"\x89PNG rubbish")
    first = sorted((copy / "samples").iterdir())[0]
    first.write_bytes(first.read_bytes()[:50])
    page = report.write(copy).read_text()
    assert "Settings" in page
    assert "Curves" not in page
    assert "at image 0 of 64" in page


@pytest.mark.parametrize(
    "document",
    [{}, {"experiment": 3}, {"experiment": {"training": [], "data": None}, "data": [], "machine": "x"}],
)
def test_odd_documents_do_not_break_it(tmp_path: Path, document: dict) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, **document}))
    assert "How to use it" in report.write(tmp_path).read_text()


def test_a_folder_without_a_run_is_an_error(sparring, tmp_path: Path) -> None:
    code, _, err = sparring("report", tmp_path)
    assert code == 2
    assert "run.json" in err
    assert not (tmp_path / "report.html").exists()


def test_long_records_are_thinned(copy: Path) -> None:
    rows = [
        {"images": 10 * n, "generator/adversarial": float(n % 7), "images_per_second": 1e-9}
        for n in range(20_000)
    ]
    (copy / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = report.write(copy).read_text()
    assert max(len(found.split()) for found in re.findall(r'polyline points="([^"]*)"', page)) <= 300
