/** Canvases that show images of the server. */

import { bitmap } from "./api.js";
import { h, showMessage } from "./dom.js";
import { state } from "./store.js";

/** Whether pixels are drawn as squares: small images would look blurred otherwise. */
const isSmall = () => Math.max(...(state.run.shape ?? [0, 64, 64]).slice(1)) <= 64;

/** A canvas for one image. @param {string} label what it shows @returns {HTMLCanvasElement} */
export function canvas(label) {
  const element = h("canvas", { role: "img", "aria-label": label, class: isSmall() ? "pixels" : "" });
  [element.width, element.height] = [1, 1];
  return element;
}

/**
 * Draw a part of a bitmap.
 * @param {HTMLCanvasElement} element
 * @param {ImageBitmap} source
 * @param {number} [index] which of `count` images stacked vertically
 * @param {number} [count]
 */
export function paint(element, source, index = 0, count = 1) {
  const { width } = source, height = source.height / count;
  if (element.width !== width || element.height !== height) [element.width, element.height] = [width, height];
  const context = element.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.drawImage(source, 0, index * height, width, height, 0, 0, width, height);
}

/** A canvas that shows the image requested last: one request at a time, and superseded requests are skipped. */
export class LatestImage {
  /** @param {string} label */
  constructor(label) {
    this.canvas = canvas(label);
    this.busy = false;
    /** @type {[string, Object<string, any>]|null} */
    this.next = null;
    this.shown = "";
  }

  /** @param {string} path @param {Object<string, any>} query */
  show(path, query) {
    const requested = JSON.stringify([path, query]);
    if (requested === this.shown && !this.busy) return;
    this.next = [path, query];
    if (!this.busy) this.load();
  }

  async load() {
    this.busy = true;
    this.canvas.classList.add("loading");
    while (this.next) {
      const [path, query] = this.next;
      this.next = null;
      try {
        const image = await bitmap(path, query);
        paint(this.canvas, image);
        image.close();
        this.shown = JSON.stringify([path, query]);
        this.canvas.dataset.shown = String(Number(this.canvas.dataset.shown ?? 0) + 1);
      } catch (error) {
        showMessage(error.message, true);
      }
    }
    this.canvas.classList.remove("loading");
    this.busy = false;
  }
}

/** Save a canvas as PNG. @param {HTMLCanvasElement} element @param {string} name */
export function download(element, name) {
  element.toBlob((blob) => {
    if (!blob) return;
    const blobUrl = URL.createObjectURL(blob);
    h("a", { href: blobUrl, download: `${name.replace(/[^a-z0-9.-]+/gi, "-")}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(blobUrl), 10000);
  });
}
