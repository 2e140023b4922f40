/** The samples of a seed, as a grid of tiles that grows while scrolling. */

import { bitmap } from "./api.js";
import { button, choice, h, showMessage, slider } from "./dom.js";
import { canvas, paint } from "./image-canvas.js";
import { draggable } from "./slot.js";
import { emit, on, sample, samplingParameters, select, state } from "./store.js";

const MAX_TILES = 600;

/** Controls of class and truncation, which all views share. */
export function samplingControls() {
  const controls = [];
  const classes = state.run.classes ?? [];
  if (classes.length) {
    const options = [["", "as in the data"], ...classes.map((name, label) => [String(label), name])];
    controls.push(choice("Class", options, state.sampling.label, (value) => { state.sampling.label = value; emit("sampling"); }).row);
  }
  const show = (value) => (value === 1 ? "1 (off)" : value.toFixed(2));
  controls.push(slider("Truncation", { min: 0, max: 1.5, step: 0.05, value: state.sampling.truncation, show },
    (value) => { state.sampling.truncation = value; emit("sampling"); }).row);
  return controls;
}

/** @param {HTMLElement} container */
export function build(container) {
  let seed = 0, next = 0, round = 0, busy = false;
  const grid = h("div", { class: "samples" });
  const more = button("More", () => load(), "wide");
  const input = h("input", { type: "number", id: "seed", min: 0, max: 2147483647, step: 1, value: "0", onchange: () => restart(Number(input.value)) });
  const field = h("div", { class: "field" }, h("label", { for: "seed" }, "Seed"), input);
  const dice = button("New seed", () => restart(Math.floor(Math.random() * 1e6)));
  container.append(h("div", { class: "toolbar" }, field, dice, ...samplingControls()), grid, more);

  /** @param {number} value */
  function restart(value) {
    seed = Math.min(2147483647, Math.max(0, Math.floor(value) || 0));
    input.value = String(seed);
    refresh();
  }

  function refresh() {
    next = 0;
    round += 1;
    busy = false;
    load();
  }

  async function load() {
    if (busy || next >= MAX_TILES) return;
    busy = true;
    const own = round, start = next, count = batchSize();
    try {
      const strip = await bitmap("samples", { seed, start, n: count, ...samplingParameters() });
      if (own !== round) return;
      if (start === 0) trim(count);
      for (let index = 0; index < count; index++) paint(tile(start + index), strip, index, count);
      strip.close();
      next = start + count;
      more.hidden = next >= MAX_TILES;
      if (isEndVisible()) window.setTimeout(() => own === round && load(), 0);
    } catch (error) {
      showMessage(error.message, true);
    } finally {
      if (own === round) busy = false;
    }
  }

  /** The canvas of a tile. Existing tiles are reused, so that nothing flickers. @param {number} index */
  function tile(index) {
    const existing = grid.children[index];
    if (existing) {
      existing.setAttribute("aria-label", describe(index));
      return existing.firstChild;
    }
    const image = canvas("");
    image.setAttribute("aria-hidden", "true");
    const added = h("button", { type: "button", class: "tile", "aria-label": describe(index), onclick: () => select(sample(seed, index)) }, image);
    added.addEventListener("keydown", (event) => moveFocus(event, index));
    draggable(added, () => sample(seed, index));
    grid.append(added);
    return image;
  }

  const describe = (index) => `Sample ${index} of seed ${seed}`;

  /** @param {number} count */
  function trim(count) {
    while (grid.children.length > count) grid.lastChild.remove();
  }

  /** Whether the end of the grid is visible. */
  const isEndVisible = () => !container.hidden && more.getBoundingClientRect().top < window.innerHeight + 200;

  /** Images per request: fewer where they are large. */
  function batchSize() {
    const [, height, width] = state.run.shape;
    return Math.max(4, Math.min(48, Math.floor(2000000 / (height * width)) & ~3));
  }

  /** @param {KeyboardEvent} event @param {number} index */
  function moveFocus(event, index) {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const target = step && grid.children[index + step];
    if (!target) return;
    event.preventDefault();
    target.focus();
  }

  new IntersectionObserver((entries) => { if (entries.some((one) => one.isIntersecting) && next) load(); }, { rootMargin: "300px" }).observe(more);
  on("sampling", refresh);
  on("generator", refresh);
  refresh();
}
