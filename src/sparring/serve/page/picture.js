/** Pictures on the page: canvases that show the newest of what they were asked for. */

import { bitmap } from "./api.js";
import { h, say } from "./dom.js";
import { state } from "./store.js";

/** Whether pixels are shown as squares: small pictures look blurred otherwise. */
const small = () => Math.max(...(state.about.shape ?? [0, 64, 64]).slice(1)) <= 64;

/** A canvas for one picture. @param {string} words what it shows @returns {HTMLCanvasElement} */
export function canvas(words) {
  const element = h("canvas", { role: "img", "aria-label": words, class: small() ? "pixels" : "" });
  [element.width, element.height] = [1, 1];
  return element;
}

/**
 * Draw a part of a bitmap.
 * @param {HTMLCanvasElement} element
 * @param {ImageBitmap} from
 * @param {number} [number] which of `count` pictures that are below each other
 * @param {number} [count]
 */
export function paint(element, from, number = 0, count = 1) {
  const height = from.height / count;
  if (element.width !== from.width || element.height !== height) [element.width, element.height] = [from.width, height];
  const pen = element.getContext("2d");
  pen.clearRect(0, 0, from.width, height);
  pen.drawImage(from, 0, number * height, from.width, height, 0, 0, from.width, height);
}

/** Shows the newest picture that was asked for; what comes too late is dropped, and only one request is under way. */
export class Live {
  /** @param {string} words */
  constructor(words) {
    this.canvas = canvas(words);
    this.busy = false;
    /** @type {[string, Object<string, any>]|null} */
    this.next = null;
    this.shown = "";
  }

  /** @param {string} path @param {Object<string, any>} query */
  show(path, query) {
    const wanted = JSON.stringify([path, query]);
    if (wanted === this.shown && !this.busy) return;
    this.next = [path, query];
    if (!this.busy) this.work();
  }

  async work() {
    this.busy = true;
    this.canvas.classList.add("waiting");
    while (this.next) {
      const [path, query] = this.next;
      this.next = null;
      try {
        const found = await bitmap(path, query);
        paint(this.canvas, found);
        found.close();
        this.shown = JSON.stringify([path, query]);
        this.canvas.dataset.shown = String(Number(this.canvas.dataset.shown ?? 0) + 1);
      } catch (error) {
        say(error.message, true);
      }
    }
    this.canvas.classList.remove("waiting");
    this.busy = false;
  }
}

/** Save a canvas as PNG. @param {HTMLCanvasElement} element @param {string} name */
export function download(element, name) {
  element.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: `${name.replace(/[^a-z0-9.-]+/gi, "-")}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}
