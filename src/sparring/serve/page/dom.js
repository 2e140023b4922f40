/** Helpers for building elements. None parses markup from a string, so that no name from a run can become code. */

/**
 * An element.
 * @param {string} tag
 * @param {Object<string, any>} [attributes] properties; `class`, `aria-*`, `role`, `for` and `data-*` as attributes, `on*` as listeners
 * @param {...(Node|string|null|undefined)} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class" || name === "role" || name === "for" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** The element with this id. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

let lastId = 0;

/**
 * A slider with its name and value. A double click resets it.
 * @param {string} name
 * @param {{min: number, max: number, step: number, value: number, show?: (value: number) => string}} range
 * @param {(value: number) => void} changed
 */
export function slider(name, range, changed) {
  const id = `slider-${++lastId}`;
  const show = range.show ?? ((value) => value.toFixed(range.step < 0.1 ? 2 : range.step < 1 ? 1 : 0));
  const output = h("output", { for: id }, show(range.value));
  const input = h("input", { type: "range", id, min: range.min, max: range.max, step: range.step });
  input.value = String(range.value);
  const update = () => {
    output.textContent = show(Number(input.value));
    changed(Number(input.value));
  };
  input.addEventListener("input", update);
  const reset = () => { input.value = String(range.value); update(); };
  input.addEventListener("dblclick", reset);
  const row = h("div", { class: "slider" }, h("label", { for: id }, name), output, input);
  return { row, input, reset, set: (value) => { input.value = String(value); output.textContent = show(Number(value)); } };
}

/**
 * A select element with its label.
 * @param {string} name
 * @param {Array<[string, string]>} options value and label
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function choice(name, options, value, changed) {
  const id = `choice-${++lastId}`;
  const select = h("select", { id, onchange: () => changed(select.value) },
    ...options.map(([key, label]) => h("option", { value: key }, label)));
  select.value = value;
  return { row: h("div", { class: "field" }, h("label", { for: id }, name), select), select };
}

/** A button. @param {string} label @param {() => void} onclick @param {string} [kind] */
export function button(label, onclick, kind = "") {
  return h("button", { type: "button", class: kind, onclick }, label);
}

let timer = 0;

/** Show a message for some seconds. @param {string} message @param {boolean} [bad] */
export function showMessage(message, bad = false) {
  const element = byId("message");
  element.textContent = message;
  element.classList.toggle("bad", bad);
  element.hidden = !message;
  clearTimeout(timer);
  timer = window.setTimeout(() => { element.hidden = true; }, bad ? 9000 : 4000);
}
