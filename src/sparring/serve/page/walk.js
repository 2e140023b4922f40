/** Interpolation between two images. */

import { bitmap } from "./api.js";
import { button, choice, h, showMessage, slider } from "./dom.js";
import { canvas, download, paint } from "./image-canvas.js";
import { slot } from "./slot.js";
import { encodeEdits, encodePoint, on, sample, samplingParameters } from "./store.js";

/** @param {HTMLElement} container */
export function build(container) {
  let steps = 12, kind = "spherical", round = 0, playing = 0;
  /** @type {ImageBitmap|null} */
  let strip = null;
  const large = canvas("An image of the walk");
  large.classList.add("large");
  const frames = h("div", { class: "strip" });
  const position = slider("Position", { min: 0, max: 100, step: 1, value: 0, show: (value) => `${value}%` }, show);
  const a = slot("A", refresh), b = slot("B", refresh);
  const play = button("Play", toggle, "strong");
  const save = button("Download strip", () => strip && download(joinFrames(), "walk"));
  container.append(
    h("p", { class: "lead" }, "Put an image into A and B: the images between come from latents between theirs."),
    h("div", { class: "slots" }, a.element, b.element),
    h("div", { class: "toolbar" },
      slider("Images", { min: 3, max: 24, step: 1, value: steps }, (value) => { steps = value; refresh(); }).row,
      choice("Interpolation", [["spherical", "spherical"], ["linear", "linear"]], kind, (value) => { kind = value; refresh(); }).row),
    h("div", { class: "stage" }, large, h("div", { class: "grow" }, position.row, h("div", { class: "actions" }, play, save))), frames);

  async function refresh() {
    if (!a.point || !b.point) return;
    const own = ++round;
    try {
      const images = await bitmap("walk", { point: encodePoint(a.point), edits: encodeEdits(a.point), end: encodePoint(b.point), end_edits: encodeEdits(b.point), steps, kind, ...samplingParameters(a.point) });
      if (own !== round) return;
      strip?.close();
      strip = images;
      frames.replaceChildren(...Array.from({ length: steps }, (_, index) => {
        const frame = canvas(`Step ${index + 1} of ${steps}`);
        paint(frame, images, index, steps);
        return frame;
      }));
      show(Number(position.input.value));
    } catch (error) {
      showMessage(error.message, true);
    }
  }

  /** @param {number} percent */
  function show(percent) {
    const count = frames.children.length;
    if (!strip || !count) return;
    const index = Math.round((percent / 100) * (count - 1));
    paint(large, strip, index, count);
    [...frames.children].forEach((frame, other) => frame.classList.toggle("on", other === index));
  }

  function toggle() {
    if (playing) {
      clearInterval(playing);
      playing = 0;
      play.textContent = "Play";
      return;
    }
    if (!strip) { showMessage("Fill A and B first."); return; }
    let percent = Number(position.input.value), sign = 1;
    play.textContent = "Pause";
    playing = window.setInterval(() => {
      if (!container.isConnected || container.hidden) return;
      percent += sign * 2;
      if (percent >= 100 || percent <= 0) { sign = -sign; percent = Math.max(0, Math.min(100, percent)); }
      position.set(percent);
      show(percent);
    }, 50);
  }

  function joinFrames() {
    const joined = h("canvas"), width = strip.width, height = strip.height / frames.children.length;
    [joined.width, joined.height] = [width * frames.children.length, height];
    [...frames.children].forEach((frame, index) => joined.getContext("2d").drawImage(frame, index * width, 0));
    return joined;
  }

  for (const name of ["sampling", "generator"]) on(name, () => { a.redraw(); b.redraw(); refresh(); });
  a.put(sample(0, 0));
  b.put(sample(0, 1));
}
