/** An uploaded image: its inversion into the latent space, or its translation. */

import { request, url } from "./api.js";
import { button, choice, h, showMessage } from "./dom.js";
import { LatestImage, canvas, download, paint } from "./image-canvas.js";
import { query, select, state } from "./store.js";

/** @param {HTMLElement} container */
export function build(container) {
  const translates = state.run.kind === "translator";
  let direction = state.run.directions?.[0] ?? "";
  /** @type {Blob|null} */
  let last = null;
  const file = h("input", { type: "file", accept: "image/*", id: "file", class: "hidden", onchange: () => file.files[0] && process(file.files[0]) });
  const drop = h("label", { for: "file", class: "drop", tabIndex: 0 }, h("strong", {}, "Drop an image here"), h("span", { class: "soft" }, "or press to choose one"));
  drop.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); file.click(); } });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("dragover"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("dragover"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("dragover"); if (event.dataTransfer.files[0]) process(event.dataTransfer.files[0]); });
  const input = canvas("Your image"), output = new LatestImage("The output of the generator");
  for (const one of [input, output.canvas]) one.classList.add("large");
  input.classList.remove("pixels");
  const status = h("p", { class: "soft", role: "status" });
  const result = h("div", { class: "pair", hidden: true }, h("figure", {}, input, h("figcaption", {}, "yours")), h("figure", {}, output.canvas, h("figcaption", {}, translates ? "translated" : "reconstruction by the generator")));
  const actions = h("div", { class: "actions", hidden: true });
  const lead = translates ? "Translate an image of yours." : "Finds the latent whose image is closest to yours. Then edit it with the sliders.";
  const controls = translates && state.run.directions.length > 1
    ? [choice("Direction", state.run.directions.map((one) => [one, one.replaceAll("-", " ").toUpperCase().replace("TO", "to")]), direction, (value) => { direction = value; if (last) process(last); }).row] : [];
  container.append(h("p", { class: "lead" }, lead), ...controls, file, drop, status, result, actions);

  /** @param {Blob} upload */
  async function process(upload) {
    last = upload;
    if (upload.size > state.run.max_upload_bytes) { showMessage(`At most ${state.run.max_upload_bytes >> 20} MiB.`, true); return; }
    try {
      const image = await createImageBitmap(upload).catch(() => null);
      if (image) crop(input, image);
      status.textContent = translates ? "translating ..." : "inverting the generator; this takes some seconds ...";
      await (translates ? translate(upload) : invert(upload));
      result.hidden = actions.hidden = false;
    } catch (error) {
      status.textContent = "";
      showMessage(error.message, true);
    }
    file.value = "";
  }

  /** @param {string} path @param {Blob} body @param {Object<string, any>} query */
  const post = (path, body, query) => request(url(path, query), { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });

  /** @param {Blob} upload */
  async function invert(upload) {
    const found = await (await post("invert", upload, { label: state.sampling.label })).json();
    const point = { terms: [{ term: `u${found.upload}`, weight: 1 }], edits: {}, name: "your image" };
    const label = found.label === undefined ? "" : `, class ${state.run.classes[found.label]}`;
    status.textContent = `Found in ${found.seconds} s: ${found.psnr} dB PSNR${label}.`;
    output.show("sample", query(point));
    actions.replaceChildren(button("Edit", () => select(point), "strong"), button("Download PNG", () => download(output.canvas, "inverted")));
  }

  /** @param {Blob} upload */
  async function translate(upload) {
    const image = await createImageBitmap(await (await post("translate", upload, { direction })).blob());
    paint(output.canvas, image);
    output.canvas.classList.toggle("pixels", image.width <= 64);
    status.textContent = `${image.width} x ${image.height} pixels, ${direction}.`;
    actions.replaceChildren(button("Download PNG", () => download(output.canvas, `translated-${direction}`), "strong"));
  }
}

/** Draw the centre crop of an image, as the server cuts it. @param {HTMLCanvasElement} element @param {ImageBitmap} image */
function crop(element, image) {
  const [, height, width] = state.run.shape ?? [3, image.height, image.width];
  const scale = Math.min(image.width / width, image.height / height), cropWidth = width * scale, cropHeight = height * scale;
  const side = 256 / Math.max(width, height);
  [element.width, element.height] = [Math.round(width * side), Math.round(height * side)];
  element.getContext("2d").drawImage(image, (image.width - cropWidth) / 2, (image.height - cropHeight) / 2, cropWidth, cropHeight, 0, 0, element.width, element.height);
}
