/** Arithmetic: a weighted sum of pictures, as in A - B + C. */

import { button, h, say, slider } from "./dom.js";
import { Live, download } from "./picture.js";
import { draggable, keep, slot } from "./slot.js";
import { choose, on, query } from "./store.js";

const START = [1, -1, 1];
const MOST = 8;

/** @param {HTMLElement} place */
export function build(place) {
  const live = new Live("The mix");
  live.canvas.classList.add("large");
  const row = h("div", { class: "slots" });
  const formula = h("p", { class: "formula" });
  /** @type {Array<{slot: any, weight: number, name: string}>} */
  const parts = [];
  const actions = h("div", { class: "actions" },
    button("Edit it", () => sum() && choose(sum()), "strong"),
    button("Keep", () => sum() && keep(sum())),
    button("Download PNG", () => download(live.canvas, "mix")));
  draggable(live.canvas, () => sum());
  const add = button("Another", () => { part(1); refresh(); });
  place.append(h("p", { class: "lead" }, "Add and take away: drag pictures here, or choose one and press a slot. What pictures have in common stays, what they differ in goes."),
    row, add, h("div", { class: "stage" }, live.canvas, h("div", { class: "grow" }, formula, actions)));
  START.forEach(part);

  /** @param {number} weight */
  function part(weight) {
    const name = String.fromCharCode(65 + parts.length);
    const one = { slot: slot(name, refresh), weight, name };
    const set = slider(`Weight of ${name}`, { min: -2, max: 2, step: 0.1, value: weight }, (value) => { one.weight = value; refresh(); });
    parts.push(one);
    row.append(h("div", { class: "part" }, one.slot.element, set.row));
    add.hidden = parts.length >= MOST;
  }

  /** The mix as a point. Edits of its parts, weighted, go with it. */
  function sum() {
    const terms = [], edits = {};
    for (const { slot: { point }, weight } of parts) {
      if (!point || !weight) continue;
      for (const term of point.terms) terms.push({ at: term.at, weight: term.weight * weight });
      for (const [id, amount] of Object.entries(point.edits)) edits[id] = (edits[id] ?? 0) + amount * weight;
    }
    if (!terms.length) { say("Fill a slot first."); return null; }
    if (terms.length > 8) { say("At most eight samples in a mix."); return null; }
    return { terms, edits, name: formula.textContent || "a mix" };
  }

  function refresh() {
    const used = parts.filter(({ slot: { point }, weight }) => point && weight);
    formula.textContent = used.map(({ name, weight }, number) => `${sign(weight, number)}${Math.abs(weight) === 1 ? "" : Math.abs(weight).toFixed(1) + " "}${name}`).join(" ");
    if (used.length) { const point = sum(); if (point) live.show("picture", query(point)); }
  }

  for (const name of ["look", "generator"]) on(name, () => { parts.forEach((one) => one.slot.redraw()); refresh(); });
}

/** @param {number} weight @param {number} number */
const sign = (weight, number) => (weight < 0 ? "− " : number ? "+ " : "");
