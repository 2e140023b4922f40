"""The report of a run: self-contained, escaped, and robust against missing and damaged files."""

import json
import re
import shutil
from pathlib import Path

import pytest

from sparring import report
from sparring.doctor.history import read_history
from sparring.report.charts import MAX_POINTS, group_columns, render_chart

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def headings(page: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", page)


def test_the_report_describes_the_run(sparring, run: Path) -> None:
    code, out, _ = sparring("report", run)
    page = (run / "report.html").read_text()
    assert code == 0
    assert out.strip() == str(run / "report.html")
    sections = ["Samples", "Diagnosis", "Curves", "Data", "Settings", "Events", "Machine", "How to use it"]
    assert headings(page) == sections
    for fact in ("finished", "recipe cgan", "losses of the generator", "skipped 3", "notes.txt"):
        assert fact in page
    assert page.count("data:image/") >= 3
    assert "polyline" in page
    assert 'type="range"' in page


def test_the_report_needs_no_other_files(run: Path) -> None:
    page = report.render(read_history(run))
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)""", page) == []
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "@import" not in page


def test_text_from_files_is_escaped(copy: Path) -> None:
    document = json.loads((copy / "run.json").read_text())
    document["experiment"]["data"]["source"] = EVIL
    document["machine"][EVIL] = EVIL
    (copy / "run.json").write_text(json.dumps(document))
    data = json.loads((copy / "data.json").read_text())
    data["skipped"], data["classes"], data["why"] = [[EVIL, EVIL]], {EVIL: 3}, [EVIL]
    (copy / "data.json").write_text(json.dumps(data))
    event = {"event": EVIL, "images": EVIL, "message": EVIL, EVIL: EVIL}
    (copy / "events.jsonl").write_text(json.dumps(event) + "\n")
    with open(copy / "metrics.jsonl", "a") as file:
        file.write(json.dumps({"images": 70, f"generator/{EVIL}": 1.0, f"{EVIL}/x": 2.0, "y": EVIL}) + "\n")
    page = report.write(copy).read_text()
    assert page.count("<script>") == 1
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;") > 8


def test_a_missing_or_damaged_file_costs_its_section_only(copy: Path) -> None:
    shutil.rmtree(copy / "checkpoints")
    (copy / "data.json").write_text("[1, 2")
    (copy / "metrics.jsonl").write_text('{"images": 5, "generator/adversarial": null}\n[]\n{"images"')
    (copy / "events.jsonl").write_bytes(b"\xff\xfe\n")
    (copy / "data.png").write_bytes(b"\x89PNG rubbish")
    first = sorted((copy / "samples").iterdir())[0]
    first.write_bytes(first.read_bytes()[:50])
    page = report.write(copy).read_text()
    assert "Settings" in headings(page)
    assert "Curves" not in headings(page)
    assert "at image 0 of 64" in page


@pytest.mark.parametrize(
    "document",
    [{}, {"experiment": 3}, {"experiment": {"training": [], "data": None}, "data": [], "machine": "x"}],
)
def test_an_odd_run_json_does_not_break_it(tmp_path: Path, document: dict) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, **document}))
    assert "How to use it" in headings(report.write(tmp_path).read_text())


def test_a_translator_is_described_as_one(copy: Path) -> None:
    document = json.loads((copy / "run.json").read_text())
    document["data"] |= {"shape_b": [3, 8, 8], "paired": True}
    (copy / "run.json").write_text(json.dumps(document))
    page = report.write(copy).read_text()
    assert "images of domain A" in page
    assert f"sparring translate {copy}" in page
    assert "run.translate" in page


def test_a_folder_without_a_run_is_an_error(sparring, tmp_path: Path) -> None:
    code, _, err = sparring("report", tmp_path)
    assert code == 2
    assert "run.json" in err
    assert not (tmp_path / "report.html").exists()


def test_events_are_shown_with_their_sentences(copy: Path) -> None:
    events = [
        {"event": "step_skipped", "images": 8, "message": "a sentence & more", "step": 3},
        {"event": "metric_stalled", "images": 16},
    ]
    (copy / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    page = report.write(copy).read_text()
    assert "a sentence &amp; more" in page
    assert "step: 3" in page
    assert "metric_stalled" in page


def test_long_curves_are_downsampled(copy: Path) -> None:
    rows = [
        {"images": 10 * n, "generator/adversarial": float(n % 7), "images_per_second": 1e-9}
        for n in range(20_000)
    ]
    (copy / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = report.write(copy).read_text()
    curves = re.findall(r'polyline points="([^"]*)"', page)
    assert max(len(curve.split()) for curve in curves) == MAX_POINTS


def test_curves_leave_out_what_a_roll_back_undid(copy: Path) -> None:
    rows = [{"images": images, "generator/adversarial": 1.0} for images in (8, 16, 24, 16, 24)]
    (copy / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    series = group_columns(read_history(copy).rows)["losses of the generator"]["adversarial"]
    assert [images for images, _ in series] == [8, 16, 24]


def test_columns_are_grouped_by_chart() -> None:
    row = {
        "images": 8,
        "step": 1,
        "seconds": 2.0,
        "images_per_second": 4.0,
        "discriminator/accuracy_real": 0.5,
        "discriminators/accuracy_b": 0.5,
        "translator/psnr": 20.0,
        "translator/adversarial": 0.7,
        "diag/diversity": 1.0,
        "diag/logit_fake": -1.0,
        "metric/fd1k-pca-train": 3.0,
        "odd": None,
    }
    charts = {title: list(curves) for title, curves in group_columns([row]).items()}
    assert charts == {
        "PSNR in training, dB": ["psnr"],
        "diagnostics": ["diversity"],
        "discriminator logits": ["fake"],
        "losses of the translator": ["adversarial"],
        "metric": ["fd1k-pca-train"],
        "discriminator accuracy": ["on real", "domain B"],
        "speed, images per second": ["images/s"],
    }
    assert list(charts)[-2:] == ["discriminator accuracy", "speed, images per second"]


@pytest.mark.parametrize("images", [0, 10, 5_000])
def test_a_single_point_gets_an_axis_from_0(images: int) -> None:
    chart = render_chart("losses", {"a": [(float(images), 1.0)]})
    assert "<circle" in chart
    assert ">0<" in chart
