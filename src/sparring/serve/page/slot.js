/** Slots that images are put into, by dragging or by selecting an image and pressing the slot; and the saved images. */

import { button, h, showMessage } from "./dom.js";
import { LatestImage } from "./image-canvas.js";
import { emit, query, select, state } from "./store.js";

const MEDIA_TYPE = "application/x-sparring-point";

/** Let an element be dragged as a point. @param {HTMLElement} element @param {() => any} point */
export function draggable(element, point) {
  element.draggable = true;
  element.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(MEDIA_TYPE, JSON.stringify(point()));
    event.dataTransfer.effectAllowed = "copy";
  });
}

/** Let images be dropped on an element. @param {HTMLElement} element @param {(point: any) => void} put */
export function droppable(element, put) {
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(MEDIA_TYPE)) return;
    event.preventDefault();
    element.classList.add("dragover");
  });
  element.addEventListener("dragleave", () => element.classList.remove("dragover"));
  element.addEventListener("drop", (event) => {
    element.classList.remove("dragover");
    const text = event.dataTransfer.getData(MEDIA_TYPE);
    if (!text) return;
    event.preventDefault();
    put(JSON.parse(text));
  });
}

/**
 * A slot.
 * @param {string} name
 * @param {(point: import("./store.js").Point) => void} onChange
 */
export function slot(name, onChange) {
  const image = new LatestImage(`Image ${name}`);
  const hint = h("span", { class: "hint" }, "drop an image, or select one and press here");
  const element = h("button", { type: "button", class: "slot empty", "aria-label": `Put the selected image into ${name}` },
    h("span", { class: "letter" }, name), image.canvas, hint);
  const self = { element, point: null, put, redraw };
  /** @param {any} point */
  function put(point) {
    self.point = { ...point, edits: { ...point.edits } };
    element.classList.remove("empty");
    redraw();
    onChange(self.point);
  }
  function redraw() {
    if (self.point) image.show("sample", query(self.point));
  }
  element.addEventListener("click", () => (state.selected ? put(state.selected) : showMessage("Select an image first, under Samples.")));
  droppable(element, put);
  draggable(element, () => self.point);
  return self;
}

/** The row of saved images; returns a function that redraws it. @param {HTMLElement} container */
export function savedImages(container) {
  const items = h("div", { class: "saved-tiles" });
  const clear = button("Clear", () => { state.saved = []; emit("saved"); }, "quiet");
  container.append(h("span", { class: "soft" }, "Saved"), items, clear);
  droppable(container, save);
  return () => {
    container.hidden = !state.saved.length;
    items.replaceChildren(...state.saved.map((point, index) => {
      const image = new LatestImage(`Saved: ${point.name}`);
      image.show("sample", query(point));
      const tile = h("button", { type: "button", class: "tile", title: point.name, "aria-label": `Select saved image ${index + 1}, ${point.name}`,
        onclick: () => select(point) }, image.canvas);
      draggable(tile, () => point);
      return tile;
    }));
  };
}

/** Add an image to the saved ones, of which the newest 24 are shown. @param {any} point */
export function save(point) {
  state.saved = [...state.saved.slice(-23), { ...point, edits: { ...point.edits } }];
  emit("saved");
}
