"""The evaluation report: HTML page, Markdown, JSON and the nearest real images."""

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from sparring.core import storage
from sparring.data.image_grid import encode_png
from sparring.evaluation.nearest_images import NearestImagesSheet
from sparring.evaluation.request import Evaluation
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

PAGE_NAME, MARKDOWN_NAME, JSON_NAME = "evaluation.html", "evaluation.md", "evaluation.json"
NEAREST_IMAGES_NAME = "closest.png"
NEAREST_IMAGES_CAPTION = (
    "Each row shows a generated image and its three nearest real images ({source}) by their features. Left: of "
    "{count} generated images, those nearest to a real one. Right: the first ones that were generated. The same "
    "image twice in a row is a copy."
)


def write_evaluation_report(evaluation: Evaluation, folder: Path) -> Path:
    """Write the page, the Markdown, the JSON and the sheet of nearest real images into a folder.

    Returns:
        The path of the page.

    Raises:
        OSError: a file can't be written.
    """
    storage.make_folder(folder)
    if evaluation.nearest_images is not None:
        storage.write_atomic(folder / NEAREST_IMAGES_NAME, encode_png(evaluation.nearest_images.image))
    page = folder / PAGE_NAME
    storage.write_atomic(page, render_evaluation(evaluation).encode("utf-8", "replace"))
    storage.write_atomic(folder / MARKDOWN_NAME, to_markdown(evaluation).encode("utf-8", "replace"))
    write_evaluation_json(evaluation, folder / JSON_NAME)
    return page


def write_evaluation_json(evaluation: Evaluation, path: Path) -> None:
    """Write the results as JSON; missing folders are created.

    Raises:
        OSError: the file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_atomic(path, to_json_bytes(evaluation))


def render_evaluation(evaluation: Evaluation) -> str:
    """The page as HTML."""
    results = evaluation.results
    sections = [("Results", results_table(results)), ("Summary", summary_html(results))]
    if evaluation.nearest_images is not None:
        sections.append(("Nearest real images", nearest_images_figure(evaluation.nearest_images)))
    if evaluation.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
        sections.append(("Notes", f"<ul>{items}</ul>"))
    sections.append(("How it was measured", details_html(results)))
    count = "1 metric" if len(results) == 1 else f"{len(results)} metrics"
    head = f'</h1><p class="soft">evaluated with {count}</p>'
    return html.render_page(evaluation_title(evaluation), head, sections)


def results_table(results: Sequence[Result]) -> str:
    """The values as an HTML table; columns without any value are left out."""
    rows = [row.cells for result in results for row in table_rows(result)]
    columns = [index for index in range(len(TABLE_HEADER)) if index == 0 or any(row[index] for row in rows)]
    head = "".join(
        f"<th{' style=text-align:right' if index else ''}>{escape(TABLE_HEADER[index])}</th>"
        for index in columns
    )
    lines = (
        "".join(f"<td{' class=n' if index else ''}>{escape(row[index])}</td>" for index in columns)
        for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def summary_html(results: Sequence[Result]) -> str:
    """Each result as a sentence, with the meaning of its metric."""
    return "".join(
        f'<p>{escape(summarize(result))} <span class="soft">{escape(explain_metric(result))}</span></p>'
        for result in results
    )


def details_html(results: Sequence[Result]) -> str:
    """Counts, sources, extractor and seed of each result: all that a published number must come with."""
    return "".join(
        f"<details><summary>{escape(result.name)}</summary>{html.value_table(measurement_details(result))}</details>"
        for result in results
    )


def nearest_images_figure(sheet: NearestImagesSheet) -> str:
    """The sheet of nearest real images as an HTML figure."""
    buffer = BytesIO()
    sheet.image.save(buffer, "PNG", optimize=True)
    caption = NEAREST_IMAGES_CAPTION.format(count=f"{sheet.num_searched:,}", source=sheet.source)
    image = (
        f'<img src="{data_url(buffer.getvalue(), "png")}" alt="generated images and the nearest real images">'
    )
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"
