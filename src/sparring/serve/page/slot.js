/** Places that pictures are put into: by dragging, or by choosing a picture and pressing the slot. */

import { button, h, say } from "./dom.js";
import { Live } from "./picture.js";
import { emit, query, state } from "./store.js";

const KIND = "application/x-sparring-point";

/** Let an element be dragged as a point. @param {HTMLElement} element @param {() => any} point */
export function draggable(element, point) {
  element.draggable = true;
  element.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(KIND, JSON.stringify(point()));
    event.dataTransfer.effectAllowed = "copy";
  });
}

/** Let pictures be dropped on an element. @param {HTMLElement} element @param {(point: any) => void} put */
export function droppable(element, put) {
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(KIND)) return;
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    element.classList.remove("over");
    const text = event.dataTransfer.getData(KIND);
    if (!text) return;
    event.preventDefault();
    put(JSON.parse(text));
  });
}

/**
 * A slot.
 * @param {string} name
 * @param {(point: import("./store.js").Point) => void} changed
 */
export function slot(name, changed) {
  const live = new Live(`Picture ${name}`);
  const hint = h("span", { class: "hint" }, "drop a picture, or choose one and press here");
  const element = h("button", { type: "button", class: "slot empty", "aria-label": `Put the chosen picture into ${name}` },
    h("span", { class: "letter" }, name), live.canvas, hint);
  const found = { element, point: null, put, redraw };
  /** @param {any} point */
  function put(point) {
    found.point = { ...point, edits: { ...point.edits } };
    element.classList.remove("empty");
    redraw();
    changed(found.point);
  }
  function redraw() {
    if (found.point) live.show("picture", query(found.point));
  }
  element.addEventListener("click", () => (state.current ? put(state.current) : say("Choose a picture first, under Samples.")));
  droppable(element, put);
  draggable(element, () => found.point);
  return found;
}

/** The shelf of kept pictures. @param {HTMLElement} place @param {() => void} chosen */
export function shelf(place, chosen) {
  const items = h("div", { class: "kept" });
  const clear = button("Clear", () => { state.shelf = []; emit("shelf"); }, "quiet");
  place.append(h("span", { class: "soft" }, "Kept"), items, clear);
  droppable(place, (point) => keep(point));
  return () => {
    place.hidden = !state.shelf.length;
    items.replaceChildren(...state.shelf.map((point, number) => {
      const live = new Live(`Kept: ${point.name}`);
      live.show("picture", query(point));
      const tile = h("button", { type: "button", class: "tile", title: point.name, "aria-label": `Show kept picture ${number + 1}, ${point.name}`,
        onclick: () => { state.current = { ...point, edits: { ...point.edits } }; emit("current"); chosen(); } }, live.canvas);
      draggable(tile, () => point);
      return tile;
    }));
  };
}

/** Keep a picture. @param {any} point */
export function keep(point) {
  state.shelf = [...state.shelf.slice(-23), { ...point, edits: { ...point.edits } }];
  emit("shelf");
}
