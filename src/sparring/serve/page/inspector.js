/** The chosen picture: sliders along directions, class, training pictures that look like it, download. */

import { address, json } from "./api.js";
import { button, byId, choice, h, say, slider } from "./dom.js";
import { Live, download } from "./picture.js";
import { draggable, keep } from "./slot.js";
import { emit, on, query, state } from "./store.js";

const KINDS = [["looks", "what is seen"], ["pca", "components (PCA)"], ["sefa", "first layer (SeFa)"]];
const REACH = { looks: 4, pca: 6, sefa: 6 };

/** @param {HTMLElement} place */
export function build(place) {
  const live = new Live("The chosen picture");
  live.canvas.classList.add("large");
  const name = h("p", { class: "soft name" });
  const sliders = h("div", { class: "sliders" });
  const found = h("div", { class: "closest" });
  /** @type {Array<{id: string, part: any}>} */
  let parts = [];
  let kind = "looks", digest = "";

  const kinds = choice("Directions", KINDS, kind, (value) => { kind = value; load(); });
  const classes = state.about.classes ?? [];
  const own = classes.length ? choice("Class", [["", "its own"], ...classes.map((word, number) => [String(number), word])], "", (value) => {
    state.current.label = value === "" ? null : Number(value);
    redraw();
  }) : null;
  const blend = classes.length && state.about.blends ? choice("Blend in", [["", "nothing"], ...classes.map((word, number) => [String(number), word])], "", (value) => {
    state.current.towards = value === "" ? null : Number(value);
    state.current.share = value === "" ? 0 : state.current.share || 0.5;
    share.set(state.current.share);
    share.row.hidden = value === "";
    redraw();
  }) : null;
  const share = slider("Share of it", { min: 0, max: 1, step: 0.05, value: 0, show: (value) => `${Math.round(100 * value)}%` }, (value) => { state.current.share = value; redraw(); });
  share.row.hidden = true;
  const close = button("Close", () => document.body.classList.remove("inspecting"), "quiet close");
  const actions = h("div", { class: "actions" },
    button("Keep", () => { keep(state.current); say("Kept, at the bottom of the page."); }, "strong"),
    button("Download PNG", () => download(live.canvas, `${state.about.name}-${state.current.name}`)),
    button("Closest training pictures", closest),
    button("Reset", reset));
  draggable(live.canvas, () => state.current);
  place.append(h("div", { class: "head" }, h("h2", {}, "Chosen"), close), live.canvas, name, actions, found,
    h("div", { class: "fields" }, own?.row, blend?.row, share.row, kinds.row), sliders);

  function redraw() {
    if (state.current) live.show("picture", query(state.current));
  }

  function show() {
    place.hidden = false;
    document.body.classList.add("inspecting");
    name.textContent = state.current.name;
    found.replaceChildren();
    if (own) own.select.value = state.current.label === undefined || state.current.label === null ? "" : String(state.current.label);
    blended();
    for (const { id, part } of parts) part.set(state.current.edits[id] ?? 0);
    redraw();
    if (digest !== state.about.digest + kind) load();
  }

  function reset() {
    state.current.edits = {};
    state.current.label = null;
    state.current.towards = null;
    state.current.share = 0;
    blended();
    if (own) own.select.value = "";
    for (const { part } of parts) part.set(0);
    redraw();
  }

  function blended() {
    if (blend) blend.select.value = state.current.share ? String(state.current.towards) : "";
    share.row.hidden = !state.current.share;
    share.set(state.current.share || 0);
  }

  async function load() {
    digest = state.about.digest + kind;
    sliders.replaceChildren(h("p", { class: "soft" }, "looking for directions ..."));
    try {
      const told = await json("directions", { kind });
      const reach = REACH[kind];
      parts = told.directions.map((one) => ({ id: one.id, part: slider(words(one), { min: -reach, max: reach, step: 0.1, value: 0 }, (value) => {
        if (!state.current) return;
        state.current.edits[one.id] = value;
        redraw();
      }) }));
      for (const { id, part } of parts) part.set(state.current?.edits[id] ?? 0);
      sliders.replaceChildren(...parts.map(({ part }) => part.row));
    } catch (error) {
      sliders.replaceChildren(h("p", { class: "soft" }, error.message));
    }
  }

  async function closest() {
    found.replaceChildren(h("p", { class: "soft" }, "looking through the training pictures ..."));
    try {
      const told = await json("closest", { ...query(state.current), k: 6 });
      const pictures = told.closest.map((one) => h("img", { src: address("real", { number: one.number }), class: live.canvas.className.replace("large", ""),
        alt: `Training picture ${one.number}, ${one.distance} grey levels away`, title: `number ${one.number}, ${one.distance} grey levels away` }));
      found.replaceChildren(h("div", { class: "row" }, ...pictures),
        h("p", { class: "soft" }, `The closest of ${told.searched.toLocaleString("en")} training pictures, ${told.closest[0].distance} grey levels away and more.`));
    } catch (error) {
      found.replaceChildren(h("p", { class: "soft" }, error.message));
    }
  }

  on("current", show);
  on("look", redraw);
  on("generator", () => { digest = ""; if (state.current) { dropEdits(); show(); } });

  /** Directions belong to one generator. */
  function dropEdits() {
    if (Object.keys(state.current.edits).length) say("The generator has moved on; sliders are back at 0.");
    state.current.edits = {};
  }
}

/** @param {any} one */
function words(one) {
  const share = one.found?.share;
  return share ? `${one.name.replace(/^(pca|sefa) /, "")} · ${(100 * share).toFixed(0)}%` : one.name;
}
