"""The evaluation report: HTML page, Markdown, JSON and the nearest real images."""

from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image

from sparring.core import storage
from sparring.data.image_grid import encode_png
from sparring.evaluation.evaluate import Evaluation
from sparring.evaluation.result import Result
from sparring.evaluation.summary import (
    TABLE_HEADER,
    evaluation_title,
    explain_metric,
    measurement_details,
    summarize,
    table_rows,
    to_json_bytes,
    to_markdown,
)
from sparring.report import html
from sparring.report.html import data_url

NEAREST_IMAGES_CAPTION = (
    "In each row a generated image, then the three real ones ({source}) whose features are closest. Left: those of "
    "{count} generated images that come closest to a real one. Right: the first ones that were generated. The same "
    "image twice in a row is a copy."
)


def render_evaluation(
    title: str,
    lines: list[Result],
    notes: list[str],
    sheet: tuple[Image.Image, str] | None,
) -> str:
    """The page.

    Arguments:
        sheet: the closest real images, and what is written below.
    """
    sections = [("Results", results_table(lines)), ("What it says", summary_html(lines))]
    if sheet is not None:
        sections.append(("Closest real images", image_figure(*sheet)))
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        sections.append(("Notes", f"<ul>{items}</ul>"))
    sections.append(("How it was measured", details_html(lines)))
    head = f'</h1><p class="soft">judged by {len(lines)} metrics</p>'
    return html.render_page(title, head, sections)


def results_table(lines: list[Result]) -> str:
    """The table of numbers."""
    rows = [figure.cells for line in lines for figure in table_rows(line)]
    kept = [at for at in range(len(TABLE_HEADER)) if at == 0 or any(row[at] for row in rows)]
    head = "".join(
        f"<th{'' if at == 0 else ' style=text-align:right'}>{escape(TABLE_HEADER[at])}</th>" for at in kept
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(row[at])}</td>" if at == 0 else f'<td class="n">{escape(row[at])}</td>'
            for at in kept
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def summary_html(lines: list[Result]) -> str:
    """Each result in a sentence, and what is good."""
    return "".join(
        f'<p>{escape(summarize(line))} <span class="soft">{escape(explain_metric(line))}</span></p>'
        for line in lines
    )


def details_html(lines: list[Result]) -> str:
    """What must be told when a number is."""
    return "".join(
        f"<details><summary>{escape(line.name)}</summary>{html.value_table(measurement_details(line))}</details>"
        for line in lines
    )


def image_figure(picture: Image.Image, words: str) -> str:
    """A image inside the page."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    source = data_url(buffer.getvalue(), "png")
    caption = f"<figcaption>{escape(words)}</figcaption>"
    return f'<figure><img src="{source}" alt="generated images and the closest real ones">{caption}</figure>'


PAGE_NAME, MARKDOWN_NAME, JSON_NAME, NEAREST_IMAGES_NAME = (
    "evaluation.html",
    "evaluation.md",
    "evaluation.json",
    "closest.png",
)


def write_evaluation_json(done: Evaluation, path: Path) -> None:
    """The results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_atomic(path, to_json_bytes(done))


def write_evaluation_report(done: Evaluation, out: Path) -> Path:
    """The page, the Markdown, the JSON and the closest images.

    Returns:
        Where the page is.
    """
    storage.make_folder(out)
    shown = None
    if done.nearest_images is not None:
        count, source = f"{done.nearest_images.num_searched:,}", done.nearest_images.source
        shown = done.nearest_images.image, NEAREST_IMAGES_CAPTION.format(count=count, source=source)
        storage.write_atomic(out / NEAREST_IMAGES_NAME, encode_png(done.nearest_images.image))
    page = render_evaluation(evaluation_title(done), list(done.results), list(done.notes), shown)
    storage.write_atomic(out / PAGE_NAME, page.encode("utf-8", "replace"))
    storage.write_atomic(out / MARKDOWN_NAME, to_markdown(done).encode("utf-8", "replace"))
    write_evaluation_json(done, out / JSON_NAME)
    return out / PAGE_NAME
