/** Latent arithmetic: a weighted sum of images' latents, as in A - B + C. */

import { button, h, showMessage, slider } from "./dom.js";
import { LatestImage, download } from "./image-canvas.js";
import { draggable, save, slot } from "./slot.js";
import { on, query, select } from "./store.js";

const INITIAL_WEIGHTS = [1, -1, 1];
const MAX_TERMS = 8;

/** @param {HTMLElement} container */
export function build(container) {
  const image = new LatestImage("The mix");
  image.canvas.classList.add("large");
  const row = h("div", { class: "slots" });
  const formula = h("p", { class: "formula" });
  /** @type {Array<{slot: any, weight: number, name: string}>} */
  const parts = [];
  const actions = h("div", { class: "actions" },
    button("Edit", () => sum() && select(sum()), "strong"),
    button("Save", () => sum() && save(sum())),
    button("Download PNG", () => download(image.canvas, "mix")));
  draggable(image.canvas, () => sum());
  const add = button("Add an image", () => { addTerm(1); refresh(); });
  container.append(h("p", { class: "lead" }, "Add and subtract latents: drag images here, or select one and press a slot. In A − B + C, what A and B have in common cancels."),
    row, add, h("div", { class: "stage" }, image.canvas, h("div", { class: "grow" }, formula, actions)));
  INITIAL_WEIGHTS.forEach(addTerm);

  /** @param {number} weight */
  function addTerm(weight) {
    const name = String.fromCharCode(65 + parts.length);
    const one = { slot: slot(name, refresh), weight, name };
    const control = slider(`Weight of ${name}`, { min: -2, max: 2, step: 0.1, value: weight }, (value) => { one.weight = value; refresh(); });
    parts.push(one);
    row.append(h("div", { class: "part" }, one.slot.element, control.row));
    add.hidden = parts.length >= MAX_TERMS;
  }

  /** The mix as a point, with the weighted sum of the edits; null if there is none. */
  function sum() {
    const terms = [], edits = {};
    for (const { slot: { point }, weight } of parts) {
      if (!point || !weight) continue;
      for (const term of point.terms) terms.push({ term: term.term, weight: term.weight * weight });
      for (const [id, amount] of Object.entries(point.edits)) edits[id] = (edits[id] ?? 0) + amount * weight;
    }
    if (!terms.length) { showMessage("Fill a slot first."); return null; }
    if (terms.length > MAX_TERMS) { showMessage(`At most ${MAX_TERMS} samples in a mix.`); return null; }
    return { terms, edits, name: formula.textContent || "a mix" };
  }

  function refresh() {
    const used = parts.filter(({ slot: { point }, weight }) => point && weight);
    formula.textContent = used.map(({ name, weight }, index) => `${sign(weight, index)}${Math.abs(weight) === 1 ? "" : Math.abs(weight).toFixed(1) + " "}${name}`).join(" ");
    if (used.length) { const point = sum(); if (point) image.show("sample", query(point)); }
  }

  for (const name of ["sampling", "generator"]) on(name, () => { parts.forEach((one) => one.slot.redraw()); refresh(); });
}

/** @param {number} weight @param {number} index */
const sign = (weight, index) => (weight < 0 ? "− " : index ? "+ " : "");
