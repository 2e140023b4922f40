/** The wall: the endless row of samples of a seed. */

import { bitmap } from "./api.js";
import { button, choice, h, say, slider } from "./dom.js";
import { canvas, paint } from "./picture.js";
import { draggable } from "./slot.js";
import { choose, emit, look, on, sample, state } from "./store.js";

const MOST = 600;

/** Class and truncation, for whoever draws. */
export function looks() {
  const parts = [];
  const classes = state.about.classes ?? [];
  if (classes.length) {
    const options = [["", "each its own"], ...classes.map((name, number) => [String(number), name])];
    parts.push(choice("Class", options, state.look.label, (value) => { state.look.label = value; emit("look"); }).row);
  }
  const show = (value) => (value === 1 ? "1 (all)" : value.toFixed(2));
  parts.push(slider("Truncation", { min: 0, max: 1.5, step: 0.05, value: state.look.truncation, show },
    (value) => { state.look.truncation = value; emit("look"); }).row);
  return parts;
}

/** @param {HTMLElement} place */
export function build(place) {
  let seed = 0, next = 0, round = 0, busy = false;
  const grid = h("div", { class: "wall" });
  const more = button("More", () => load(), "wide");
  const input = h("input", { type: "number", id: "seed", min: 0, max: 2147483647, step: 1, value: "0", onchange: () => restart(Number(input.value)) });
  const field = h("div", { class: "field" }, h("label", { for: "seed" }, "Seed"), input);
  const dice = button("New seed", () => restart(Math.floor(Math.random() * 1e6)));
  place.append(h("div", { class: "toolbar" }, field, dice, ...looks()), grid, more);

  /** @param {number} wanted */
  function restart(wanted) {
    seed = Math.min(2147483647, Math.max(0, Math.floor(wanted) || 0));
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
    if (busy || next >= MOST) return;
    busy = true;
    const mine = round, start = next, count = size();
    try {
      const strip = await bitmap("wall", { seed, start, n: count, ...look() });
      if (mine !== round) return;
      if (start === 0) trim(count);
      for (let number = 0; number < count; number++) paint(tile(start + number), strip, number, count);
      strip.close();
      next = start + count;
      more.hidden = next >= MOST;
      if (near()) window.setTimeout(() => mine === round && load(), 0);
    } catch (error) {
      say(error.message, true);
    } finally {
      if (mine === round) busy = false;
    }
  }

  /** Tiles are painted anew rather than made anew, so that nothing flickers. @param {number} index */
  function tile(index) {
    const there = grid.children[index];
    if (there) {
      there.setAttribute("aria-label", words(index));
      return there.firstChild;
    }
    const picture = canvas("");
    picture.setAttribute("aria-hidden", "true");
    const made = h("button", { type: "button", class: "tile", "aria-label": words(index), onclick: () => choose(sample(seed, index)) }, picture);
    made.addEventListener("keydown", (event) => arrows(event, index));
    draggable(made, () => sample(seed, index));
    grid.append(made);
    return picture;
  }

  const words = (index) => `Sample ${index} of seed ${seed}`;

  /** @param {number} count */
  function trim(count) {
    while (grid.children.length > count) grid.lastChild.remove();
  }

  /** Whether the end of the wall is in sight. */
  const near = () => !place.hidden && more.getBoundingClientRect().top < window.innerHeight + 200;

  /** How many at once: fewer of large pictures. */
  function size() {
    const [, height, width] = state.about.shape;
    return Math.max(4, Math.min(48, Math.floor(2000000 / (height * width)) & ~3));
  }

  /** @param {KeyboardEvent} event @param {number} index */
  function arrows(event, index) {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const there = step && grid.children[index + step];
    if (!there) return;
    event.preventDefault();
    there.focus();
  }

  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && next) load(); }, { rootMargin: "300px" }).observe(more);
  on("look", refresh);
  on("generator", refresh);
  refresh();
}
