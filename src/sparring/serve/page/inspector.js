/** The selected image: sliders along latent directions, class, nearest training images, download. */

import { json, url } from "./api.js";
import { button, choice, h, showMessage, slider } from "./dom.js";
import { LatestImage, download } from "./image-canvas.js";
import { draggable, save } from "./slot.js";
import { on, query, state } from "./store.js";

const KINDS = [["attributes", "image attributes"], ["pca", "components (PCA)"], ["sefa", "first layer (SeFa)"]];
const MAX_AMOUNTS = { attributes: 4, pca: 6, sefa: 6 }; // in standard deviations

/** @param {HTMLElement} container */
export function build(container) {
  const image = new LatestImage("The selected image");
  image.canvas.classList.add("large");
  const name = h("p", { class: "soft name" });
  const sliders = h("div", { class: "sliders" });
  const neighbours = h("div", { class: "nearest" });
  /** @type {Array<{id: string, control: any}>} */
  let directions = [];
  let kind = KINDS[0][0], loaded = "";

  const kinds = choice("Directions", KINDS, kind, (value) => { kind = value; load(); });
  const classes = state.run.classes ?? [], classOptions = classes.map((word, label) => [String(label), word]);
  const ownClass = classes.length ? choice("Class", [["", "as sampled"], ...classOptions], "", (value) => {
    state.selected.label = value === "" ? null : Number(value);
    redraw();
  }) : null;
  const blendClass = classes.length && state.run.can_blend ? choice("Blend with", [["", "nothing"], ...classOptions], "", (value) => {
    state.selected.blendLabel = value === "" ? null : Number(value);
    state.selected.blendWeight = value === "" ? 0 : state.selected.blendWeight || 0.5;
    showBlend();
    redraw();
  }) : null;
  const blendWeight = slider("Blend weight", { min: 0, max: 1, step: 0.05, value: 0, show: (value) => `${Math.round(100 * value)}%` }, (value) => { state.selected.blendWeight = value; redraw(); });
  blendWeight.row.hidden = true;
  const close = button("Close", () => document.body.classList.remove("inspecting"), "quiet close");
  const actions = h("div", { class: "actions" },
    button("Save", () => { save(state.selected); showMessage("Saved at the bottom of the page."); }, "strong"),
    button("Download PNG", () => download(image.canvas, `${state.run.name}-${state.selected.name}`)),
    button("Nearest training images", findNearest),
    button("Reset", reset));
  draggable(image.canvas, () => state.selected);
  container.append(h("div", { class: "head" }, h("h2", {}, "Selected"), close), image.canvas, name, actions, neighbours,
    h("div", { class: "fields" }, ownClass?.row, blendClass?.row, blendWeight.row, kinds.row), sliders);

  function redraw() {
    if (state.selected) image.show("sample", query(state.selected));
  }

  function show() {
    container.hidden = false;
    document.body.classList.add("inspecting");
    name.textContent = state.selected.name;
    neighbours.replaceChildren();
    if (ownClass) ownClass.select.value = String(state.selected.label ?? "");
    showBlend();
    for (const { id, control } of directions) control.set(state.selected.edits[id] ?? 0);
    redraw();
    if (loaded !== state.run.digest + kind) load();
  }

  function reset() {
    Object.assign(state.selected, { edits: {}, label: null, blendLabel: null, blendWeight: 0 });
    showBlend();
    if (ownClass) ownClass.select.value = "";
    for (const { control } of directions) control.set(0);
    redraw();
  }

  function showBlend() {
    const weight = state.selected.blendWeight || 0;
    if (blendClass) blendClass.select.value = weight ? String(state.selected.blendLabel) : "";
    blendWeight.row.hidden = !weight;
    blendWeight.set(weight);
  }

  async function load() {
    loaded = state.run.digest + kind;
    sliders.replaceChildren(h("p", { class: "soft" }, "finding directions ..."));
    try {
      const response = await json("directions", { kind });
      const max = MAX_AMOUNTS[kind];
      directions = response.directions.map((one) => ({ id: one.id, control: slider(describe(one), { min: -max, max, step: 0.1, value: 0 }, (value) => {
        if (!state.selected) return;
        state.selected.edits[one.id] = value;
        redraw();
      }) }));
      for (const { id, control } of directions) control.set(state.selected?.edits[id] ?? 0);
      sliders.replaceChildren(...directions.map(({ control }) => control.row));
    } catch (error) {
      sliders.replaceChildren(h("p", { class: "soft" }, error.message));
    }
  }

  async function findNearest() {
    neighbours.replaceChildren(h("p", { class: "soft" }, "searching the training images ..."));
    try {
      const { nearest, num_searched } = await json("nearest", { ...query(state.selected), n: 6 });
      const images = nearest.map((one) => h("img", { src: url("training-image", { index: one.index }), class: image.canvas.className.replace("large", ""),
        alt: `Training image ${one.index}, ${one.distance} grey levels away`, title: `index ${one.index}, ${one.distance} grey levels away` }));
      neighbours.replaceChildren(h("div", { class: "row" }, ...images),
        h("p", { class: "soft" }, `The nearest of ${num_searched.toLocaleString("en")} training images, at least ${nearest[0].distance} grey levels away.`));
    } catch (error) {
      neighbours.replaceChildren(h("p", { class: "soft" }, error.message));
    }
  }

  on("selection", show);
  on("sampling", redraw);
  on("generator", () => { loaded = ""; if (state.selected) { dropEdits(); show(); } });

  /** Directions belong to one generator. */
  function dropEdits() {
    if (Object.keys(state.selected.edits).length) showMessage("The generator was updated; the sliders are reset to 0.");
    state.selected.edits = {};
  }
}

/** A direction's name, with its fraction of the variance where that is known. @param {any} direction */
function describe({ name, statistics }) {
  const fraction = statistics?.share;
  return fraction ? `${name.replace(/^(pca|sefa) /, "")} · ${(100 * fraction).toFixed(0)}%` : name;
}
