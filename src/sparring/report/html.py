"""HTML building blocks: page frame, tables, inline images, and values from files that may be missing or damaged."""

import base64
import json
import math
import warnings
from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, features

from sparring.core import storage

MAX_CHARACTERS = 300  # of one value
MAX_PIXELS = 50_000_000
MAX_PNG_BYTES = 1_500_000  # a PNG up to this size is inlined unchanged
MAX_SIDE = 1600  # pixels of a larger one, which is reduced


def get_table(document: Any, *names: str) -> dict[str, Any]:
    """A nested JSON object; an empty one if it does not exist.

    >>> get_table({"data": {"shape": [1]}}, "data"), get_table({"data": 3}, "data", "shape")
    ({'shape': [1]}, {})
    """
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def is_number(value: Any) -> bool:
    """Whether a value is a finite number (True and False are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def format_value(value: Any) -> str:
    """A value as text of at most `MAX_CHARACTERS`.

    >>> format_value(12345), format_value("grey"), format_value([1, None])
    ('12,345', 'grey', '[1, null]')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + " …"


def inline_image(path: Path, *, small: bool) -> str:
    """A PNG file as a data URL; empty if it is missing, damaged or too large.

    Arguments:
        small: encode as WebP, which takes about a tenth of the bytes with hardly visible losses.
    """
    try:
        content = storage.read(path)
        with warnings.catch_warnings(), Image.open(BytesIO(content), formats=["PNG"]) as opened:
            warnings.simplefilter("ignore")
            if opened.width * opened.height > MAX_PIXELS:
                return ""
            image = opened.convert("RGB")
    except Exception:  # whatever is wrong with an image must not cost the page
        return ""
    if not small and len(content) <= MAX_PNG_BYTES:
        return data_url(content, "png")
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    kind = "webp" if features.check("webp") else "png"
    buffer = BytesIO()
    image.save(buffer, kind, quality=88)
    return data_url(buffer.getvalue(), kind)


def data_url(content: bytes, kind: str) -> str:
    """Bytes of an image as a data URL; `kind` is `png` or `webp`."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def evenly_spaced(names: Sequence[str], count: int) -> list[str]:
    """At most `count` names, evenly spaced, with the first and the last.

    >>> evenly_spaced("abcdefg", 3)
    ['a', 'd', 'g']
    """
    if len(names) <= count:
        return list(names)
    return [names[round(index * (len(names) - 1) / (count - 1))] for index in range(count)]


STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d1f23;--soft:#666b74;--line:#e4e2dd;
--accent:#b8481c;
--c0:#b8481c;--c1:#2f6db3;--c2:#3c8a57;--c3:#8a5fb0;--c4:#a88412;--c5:#4a9c9c}
@media(prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1d2024;--ink:#e9e7e2;--soft:#9aa0a9;
--line:#30343a;--accent:#ef8354;
--c0:#ef8354;--c1:#6fa8e6;--c2:#74c08d;--c3:#bd96e0;--c4:#d8b64a;--c5:#7ccaca}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1040px;margin:0 auto;padding:2.2rem 1.2rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:1.06rem;margin:2.4rem 0 .8rem;padding-bottom:.35rem;border-bottom:1px solid var(--line)}
p{margin:.3rem 0}.soft{color:var(--soft)}
.chip{display:inline-block;padding:.05rem .6rem;border-radius:1rem;border:1px solid currentColor;
color:var(--accent);font-size:.82rem;
vertical-align:.3rem;margin-left:.6rem}.chip.done{color:var(--c2)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));gap:.7rem;margin:1.3rem 0 0}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.card{padding:.65rem .9rem}.card b{display:block;font-size:1.3rem;font-weight:600;
font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:.82rem}
figure{margin:0;padding:.8rem}figcaption{color:var(--soft);font-size:.86rem;margin-top:.45rem}
img{display:block;max-width:100%;height:auto;image-rendering:auto;border-radius:.25rem;background:#fff}
.strip{display:flex;gap:.8rem;overflow-x:auto;padding-bottom:.5rem}.strip figure{flex:0 0 min(34rem,88%)}
.slide .strip{display:block;overflow:visible;padding:0}.slide figure{display:none}
.slide figcaption{display:none}.slide figure.on{display:block}
figure{width:fit-content;max-width:100%}.charts figure{width:auto}
.slider{display:none;align-items:center;gap:.8rem;margin:.2rem 0 .6rem;max-width:34rem}
.slide .slider{display:flex}
.slider input{flex:1;accent-color:var(--accent);min-height:1.8rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:.8rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:11px system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:.84rem;margin-bottom:.3rem}
.legend i{display:inline-block;width:.9rem;height:.2rem;
border-radius:.1rem;vertical-align:.22rem;margin-right:.35rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}
td,th{text-align:left;vertical-align:top;padding:.28rem .9rem .28rem 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500;white-space:nowrap}td.n{text-align:right;
font-variant-numeric:tabular-nums;white-space:nowrap}
pre{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem;
overflow-x:auto;font-size:.84rem;margin:.5rem 0}
summary{cursor:pointer;color:var(--soft);margin:.4rem 0}.two{display:grid;
grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));
gap:1rem 1.4rem;align-items:end}.two>div{min-width:0}pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
@media(max-width:480px){main{padding:1.3rem .8rem 3rem}h1{font-size:1.4rem}
.cards{grid-template-columns:1fr 1fr}}
@media print{.slider{display:none!important}}
"""

SCRIPT = """
document.querySelectorAll('.samples').forEach(function(box){
  var all=box.querySelectorAll('figure'),input=box.querySelector('input'),say=box.querySelector('output');
  if(all.length<2)return;
  function show(){all.forEach(function(f,i){f.classList.toggle('on',i==input.value)});
    say.textContent=all[input.value].querySelector('figcaption').textContent}
  box.classList.add('slide');input.oninput=show;show();
});
"""


def render_page(
    title: str, head: str, sections: list[tuple[str, str]], *, style: str = "", script: str = ""
) -> str:
    """A page with a heading and sections.

    Arguments:
        title: plain text.
        head: HTML behind the title; it must close the `h1`.
        sections: titles in plain text, and their HTML.
        style, script: added to those of all pages.
    """
    body = "\n".join(f"<section><h2>{escape(name)}</h2>\n{content}\n</section>" for name, content in sections)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(title)} · Sparring</title><style>{STYLE}{style}</style></head>
<body><main><header><h1>{escape(title)}{head}</header>
{body}
</main><script>{SCRIPT}{script}</script></body></html>
"""


def value_table(pairs: list[tuple[str, str]]) -> str:
    """An HTML table of names and values, both plain text."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs)
    return f'<div class="scroll"><table>{cells}</table></div>' if pairs else ""


def figure_cards(pairs: list[tuple[str, str]]) -> str:
    """Key figures as HTML cards; names and values are plain text."""
    cards = (
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for name, value in pairs
    )
    return f'<div class="cards">{"".join(cards)}</div>'
