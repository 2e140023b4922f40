"""The gallery: gathered picture by picture in bounded memory, then written as one file."""

from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

from PIL import Image, features

from sparring import storage
from sparring.report import page
from sparring.report.pictures import url

NAME = "gallery.html"
MOST = 120  # pictures shown
LONGEST = 512  # pixels of a side, as shown
SMALL = 96  # pictures of at most so many pixels a side are shown sharp, pixel by pixel

STYLE = """
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));gap:1rem}
main{max-width:1240px}.gallery figure{width:auto;padding:.6rem}
.stack{position:relative;display:grid;touch-action:pan-y;cursor:ew-resize;overflow:hidden;border-radius:.3rem}
.stack img{grid-area:1/1;width:100%;height:auto;user-select:none}
.stack img[hidden]{display:none}
.stack .over{clip-path:inset(0 calc(100% - var(--at,50%)) 0 0)}
.stack.sharp img{image-rendering:pixelated}
.stack::after{content:"";position:absolute;top:0;bottom:0;left:var(--at,50%);width:2px;margin-left:-1px;
background:#fff;box-shadow:0 0 3px #000;pointer-events:none}
.gallery input{width:100%;margin:.5rem 0 0;accent-color:var(--accent);min-height:1.6rem}
.gallery figcaption{overflow-wrap:anywhere;display:flex;justify-content:space-between;gap:.6rem}
.views{display:flex;flex-wrap:wrap;gap:.5rem;margin:.2rem 0 1rem;border:0;padding:0}
.views label{border:1px solid var(--line);border-radius:1rem;padding:.2rem .8rem;cursor:pointer;
background:var(--card)}
.views label:has(:checked){border-color:var(--accent);color:var(--accent)}
.views label:focus-within{outline:2px solid var(--accent)}
.views input{position:absolute;opacity:0}
"""
SCRIPT = """
(function(){
  var boxes=document.querySelectorAll('.gallery figure');
  function place(box,at){box.querySelector('.stack').style.setProperty('--at',at+'%');}
  boxes.forEach(function(box){
    var input=box.querySelector('input'),stack=box.querySelector('.stack');
    input.oninput=function(){place(box,input.value)};
    function drag(event){
      if(event.type!='pointerdown'&&!event.buttons&&event.pointerType!='mouse')return;
      var frame=stack.getBoundingClientRect();
      input.value=Math.max(0,Math.min(100,100*(event.clientX-frame.left)/frame.width));place(box,input.value);}
    stack.onpointermove=drag;stack.onpointerdown=drag;
  });
  document.querySelectorAll('.views input').forEach(function(choice){
    choice.onchange=function(){var names=choice.value.split(' ');
      boxes.forEach(function(box){
        box.querySelectorAll('img').forEach(function(image){
          var at=names.indexOf(image.dataset.is);
          image.hidden=at<0;image.classList.toggle('over',at==0);});});};
  });
})();
"""
CARD = Template(
    '<figure><div class="stack$sharp">$pictures</div>'
    '<input type="range" min="0" max="100" value="50" step="any" aria-label="how much of the left picture of $name is shown">'
    "<figcaption><span>$name</span><span>$size</span></figcaption></figure>"
)


class Gallery:
    """Pictures before and after, as they come; the first `MOST` are shown.

    Arguments:
        truth: whether what should have come out is known of some.
    """

    def __init__(self, *, truth: bool = False) -> None:
        self.truth, self.count = truth, 0
        self.cards: list[str] = []

    def add(self, name: str, given: Image.Image, made: Image.Image, truth: Image.Image | None = None) -> None:
        """One more picture: what went in, what came out, and what should have."""
        self.count += 1
        if len(self.cards) >= MOST:
            return
        shown = {"output": made, "input": given.resize(made.size) if given.size != made.size else given}
        if truth is not None:
            shown["truth"] = truth
        images = [_image(kind, picture, name) for kind, picture in shown.items()]
        sharp = " sharp" if max(made.size) <= SMALL else ""
        size = f"{made.width}×{made.height}"
        self.cards.append(
            CARD.substitute(sharp=sharp, pictures="".join(images), name=escape(name), size=size)
        )

    def write(self, folder: Path, title: str) -> Path:
        """Write the page into a folder, and tell where it is."""
        place = folder / NAME
        storage.write_whole(place, self.render(title).encode("utf-8", "replace"))
        return place

    def render(self, title: str) -> str:
        """The whole page."""
        views = [("input output", "input | output")]
        if self.truth:
            views += [("output truth", "output | truth"), ("input truth", "input | truth")]
        choices = "".join(
            f'<label><input type="radio" name="view" value="{value}"{" checked" if not at else ""}>{words}</label>'
            for at, (value, words) in enumerate(views)
        )
        chooser = f'<fieldset class="views" aria-label="what is compared">{choices}</fieldset>'
        some = f"the first {MOST:,} of {self.count:,}" if self.count > MOST else f"{self.count:,}"
        head = f'</h1><p class="soft">{some} pictures. Left of the line is what is named first; move it.</p>'
        body = f'<style>{STYLE}</style>{chooser}<div class="gallery">{"".join(self.cards)}</div><script>{SCRIPT}</script>'
        return page.render(title, head, [("Translated", body)])


def _image(kind: str, picture: Image.Image, name: str) -> str:
    hidden = " hidden" if kind == "truth" else ""
    over = ' class="over"' if kind == "input" else ""
    return f'<img{over}{hidden} data-is="{kind}" alt="{kind} of {escape(name)}" src="{_inlined(picture)}" draggable="false">'


def _inlined(picture: Image.Image) -> str:
    picture = picture.convert("RGBA" if picture.mode in ("LA", "RGBA") else "RGB")
    small = max(picture.size) <= SMALL
    picture.thumbnail((LONGEST, LONGEST))
    buffer = BytesIO()
    if small or not features.check("webp"):
        picture.save(buffer, "PNG")
        return url(buffer.getvalue(), "png")
    picture.save(buffer, "WEBP", quality=88)
    return url(buffer.getvalue(), "webp")
