"""`gallery.html`: translated images, each with a slider between input, output and the truth.

The page is built image by image in bounded memory; it embeds its images and needs no server.
"""

from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

from PIL import Image, features

from sparring.core import storage
from sparring.report import html
from sparring.report.html import data_url

GALLERY_NAME = "gallery.html"
MAX_IMAGES = 120
MAX_SIDE = 512  # pixels; larger images are reduced
SHARP_BELOW = 96  # pixels; images up to this size are enlarged without interpolation

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
    '<figure><div class="stack$sharp">$images</div>'
    '<input type="range" min="0" max="100" value="50" step="any" aria-label="position of the line in $name">'
    "<figcaption><span>$name</span><span>$size</span></figcaption></figure>"
)


class Gallery:
    """A page of inputs and outputs of a translator; the first `MAX_IMAGES` are shown.

    Arguments:
        truth: whether the true output is known of some images.
    """

    def __init__(self, *, truth: bool = False) -> None:
        self.truth, self.count = truth, 0
        self.cards: list[str] = []

    def add(
        self, name: str, input_image: Image.Image, output_image: Image.Image, truth: Image.Image | None = None
    ) -> None:
        """Add one image.

        Arguments:
            name: caption in plain text.
            input_image, output_image: of the translator.
            truth: the true output, of the size of the output.
        """
        self.count += 1
        if len(self.cards) >= MAX_IMAGES:
            return
        if input_image.size != output_image.size:
            input_image = input_image.resize(output_image.size)
        images = {"output": output_image, "input": input_image}
        if truth is not None:
            images["truth"] = truth
        card = CARD.substitute(
            sharp=" sharp" if max(output_image.size) <= SHARP_BELOW else "",
            images="".join(_image_tag(kind, image, name) for kind, image in images.items()),
            name=escape(name),
            size=f"{output_image.width}×{output_image.height}",
        )
        self.cards.append(card)

    def write(self, folder: Path, title: str) -> Path:
        """Write the page into a folder and return its path."""
        page = folder / GALLERY_NAME
        storage.write_atomic(page, self.render(title).encode("utf-8", "replace"))
        return page

    def render(self, title: str) -> str:
        """The page as HTML."""
        views = [("input output", "input | output")]
        if self.truth:
            views += [("output truth", "output | truth"), ("input truth", "input | truth")]
        choices = "".join(
            f'<label><input type="radio" name="view" value="{value}"{"" if index else " checked"}>{label}</label>'
            for index, (value, label) in enumerate(views)
        )
        chooser = f'<fieldset class="views" aria-label="images to compare">{choices}</fieldset>'
        count = (
            f"the first {MAX_IMAGES:,} of {self.count:,}" if self.count > MAX_IMAGES else f"{self.count:,}"
        )
        head = f'</h1><p class="soft">{count} images. The one named first is left of the line; drag to move it.</p>'
        body = f'{chooser}<div class="gallery">{"".join(self.cards)}</div>'
        return html.render_page(title, head, [("Translated images", body)], style=STYLE, script=SCRIPT)


def _image_tag(kind: str, image: Image.Image, name: str) -> str:
    hidden = " hidden" if kind == "truth" else ""
    over = ' class="over"' if kind == "input" else ""
    source, alt = _encode(image), f"{kind} of {escape(name)}"
    return f'<img{over}{hidden} data-is="{kind}" alt="{alt}" src="{source}" draggable="false">'


def _encode(image: Image.Image) -> str:
    """An image as a data URL: small ones as PNG, others reduced and as WebP."""
    image = image.convert("RGBA" if image.mode in ("LA", "RGBA") else "RGB")
    is_small = max(image.size) <= SHARP_BELOW
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = BytesIO()
    if is_small or not features.check("webp"):
        image.save(buffer, "PNG")
        return data_url(buffer.getvalue(), "png")
    image.save(buffer, "WEBP", quality=88)
    return data_url(buffer.getvalue(), "webp")
