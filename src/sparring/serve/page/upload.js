/** The visitor's own picture: its place in the latent space, or its translation. */

import { address, ask } from "./api.js";
import { button, choice, h, say } from "./dom.js";
import { Live, canvas, download, paint } from "./picture.js";
import { choose, query, state } from "./store.js";

/** @param {HTMLElement} place */
export function build(place) {
  const translates = state.about.kind === "translator";
  let direction = state.about.directions?.[0] ?? "";
  /** @type {Blob|null} */
  let last = null;
  const input = h("input", { type: "file", accept: "image/*", id: "file", class: "hidden", onchange: () => input.files[0] && take(input.files[0]) });
  const drop = h("label", { for: "file", class: "drop", tabIndex: 0 }, h("strong", {}, "Drop a picture here"), h("span", { class: "soft" }, "or press to choose one"));
  drop.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); input.click(); } });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]); });
  const given = canvas("Your picture"), live = new Live("What the generator makes of it");
  for (const one of [given, live.canvas]) one.classList.add("large");
  given.classList.remove("pixels");
  const words = h("p", { class: "soft", role: "status" });
  const result = h("div", { class: "pair", hidden: true }, h("figure", {}, given, h("figcaption", {}, "yours")), h("figure", {}, live.canvas, h("figcaption", {}, translates ? "translated" : "as the generator would make it")));
  const actions = h("div", { class: "actions", hidden: true });
  const lead = translates ? "Translate a picture of yours." : "The generator looks for the code that gives your picture, or what is nearest to it. Then edit it with the sliders.";
  const ways = translates && state.about.directions.length > 1
    ? [choice("Direction", state.about.directions.map((one) => [one, one.replaceAll("-", " ").toUpperCase().replace("TO", "to")]), direction, (value) => { direction = value; if (last) take(last); }).row] : [];
  place.append(h("p", { class: "lead" }, lead), ...ways, input, drop, words, result, actions);

  /** @param {Blob} file */
  async function take(file) {
    last = file;
    if (file.size > state.about.upload_bytes) { say(`At most ${state.about.upload_bytes >> 20} MiB.`, true); return; }
    try {
      const shown = await createImageBitmap(file).catch(() => null);
      if (shown) crop(given, shown);
      words.textContent = translates ? "translating ..." : "looking for it; this takes some seconds ...";
      await (translates ? translate(file) : invert(file));
      result.hidden = actions.hidden = false;
    } catch (error) {
      words.textContent = "";
      say(error.message, true);
    }
    input.value = "";
  }

  /** @param {string} path @param {Blob} file @param {Object<string, any>} query */
  const post = (path, file, query) => ask(address(path, query), { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });

  /** @param {Blob} file */
  async function invert(file) {
    const told = await (await post("invert", file, { label: state.look.label })).json();
    const point = { terms: [{ at: `u${told.upload}`, weight: 1 }], edits: {}, name: "your picture" };
    const of = told.label === undefined ? "" : `, seen as ${state.about.classes[told.label]}`;
    words.textContent = `Found in ${told.seconds} s: ${told.psnr} dB PSNR${of}.`;
    live.show("picture", query(point));
    actions.replaceChildren(button("Edit it", () => choose(point), "strong"), button("Download PNG", () => download(live.canvas, "inverted")));
  }

  /** @param {Blob} file */
  async function translate(file) {
    const made = await createImageBitmap(await (await post("translate", file, { direction })).blob());
    paint(live.canvas, made);
    live.canvas.classList.toggle("pixels", made.width <= 64);
    words.textContent = `${made.width} x ${made.height} pixels, ${direction}.`;
    actions.replaceChildren(button("Download PNG", () => download(live.canvas, `translated-${direction}`), "strong"));
  }
}

/** Show the middle of a picture, as the server cuts it. @param {HTMLCanvasElement} element @param {ImageBitmap} from */
function crop(element, from) {
  const [, height, width] = state.about.shape ?? [3, from.height, from.width];
  const scale = Math.min(from.width / width, from.height / height), across = width * scale, down = height * scale;
  const side = 256 / Math.max(width, height);
  [element.width, element.height] = [Math.round(width * side), Math.round(height * side)];
  element.getContext("2d").drawImage(from, (from.width - across) / 2, (from.height - down) / 2, across, down, 0, 0, element.width, element.height);
}
