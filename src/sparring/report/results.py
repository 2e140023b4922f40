"""The page of an evaluation: numbers, what they say, the closest real pictures, how it was measured."""

from html import escape
from io import BytesIO

from PIL import Image

from sparring.evaluation.figures import HEAD, figures
from sparring.evaluation.line import Line
from sparring.evaluation.words import circumstances, explained, verdict
from sparring.report import page
from sparring.report.pictures import url

SHEET_WORDS = (
    "In each row a generated picture, then the three real ones ({source}) whose features are closest. Left: those of "
    "{count} generated pictures that come closest to a real one. Right: the first ones that were generated. The same "
    "picture twice in a row is a copy."
)


def render(
    title: str,
    lines: list[Line],
    notes: list[str],
    sheet: tuple[Image.Image, str] | None,
) -> str:
    """The page.

    Arguments:
        sheet: the closest real pictures, and what is written below.
    """
    sections = [("Results", results(lines)), ("What it says", said(lines))]
    if sheet is not None:
        sections.append(("Closest real pictures", pictured(*sheet)))
    if notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in notes)
        sections.append(("Notes", f"<ul>{items}</ul>"))
    sections.append(("How it was measured", measured(lines)))
    head = f'</h1><p class="soft">judged by {len(lines)} metrics</p>'
    return page.render(title, head, sections)


def results(lines: list[Line]) -> str:
    """The table of numbers."""
    rows = [figure.cells for line in lines for figure in figures(line)]
    kept = [at for at in range(len(HEAD)) if at == 0 or any(row[at] for row in rows)]
    head = "".join(
        f"<th{'' if at == 0 else ' style=text-align:right'}>{escape(HEAD[at])}</th>" for at in kept
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


def said(lines: list[Line]) -> str:
    """Each result in a sentence, and what is good."""
    return "".join(
        f'<p>{escape(verdict(line))} <span class="soft">{escape(explained(line))}</span></p>'
        for line in lines
    )


def measured(lines: list[Line]) -> str:
    """What must be told when a number is."""
    return "".join(
        f"<details><summary>{escape(line.name)}</summary>{page.rows(circumstances(line))}</details>"
        for line in lines
    )


def pictured(picture: Image.Image, words: str) -> str:
    """A picture inside the page."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    source = url(buffer.getvalue(), "png")
    caption = f"<figcaption>{escape(words)}</figcaption>"
    return (
        f'<figure><img src="{source}" alt="generated pictures and the closest real ones">{caption}</figure>'
    )
