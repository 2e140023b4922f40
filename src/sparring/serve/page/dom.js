/** Small tools for the page: elements without markup from strings, so that no name from a run can become code. */

/**
 * An element.
 * @param {string} tag
 * @param {Object<string, any>} [given] properties; `class`, `aria-*`, `role`, `for` and `data-*` as attributes, `on*` as listeners
 * @param {...(Node|string|null|undefined)} inside
 * @returns {any}
 */
export function h(tag, given = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class" || name === "role" || name === "for" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...inside.filter((part) => part !== null && part !== undefined));
  return element;
}

/** The element of this id. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

let serial = 0;

/**
 * A slider with its name and value.
 * @param {string} name
 * @param {{min: number, max: number, step: number, value: number, show?: (value: number) => string}} range
 * @param {(value: number) => void} changed
 */
export function slider(name, range, changed) {
  const id = `slider-${++serial}`;
  const show = range.show ?? ((value) => value.toFixed(range.step < 0.1 ? 2 : range.step < 1 ? 1 : 0));
  const output = h("output", { for: id }, show(range.value));
  const input = h("input", { type: "range", id, min: range.min, max: range.max, step: range.step });
  input.value = String(range.value);
  const tell = () => {
    output.textContent = show(Number(input.value));
    changed(Number(input.value));
  };
  input.addEventListener("input", tell);
  const reset = () => { input.value = String(range.value); tell(); };
  input.addEventListener("dblclick", reset);
  const row = h("div", { class: "slider" }, h("label", { for: id }, name), output, input);
  return { row, input, reset, set: (value) => { input.value = String(value); output.textContent = show(Number(value)); } };
}

/**
 * A choice.
 * @param {string} name
 * @param {Array<[string, string]>} options value and words
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function choice(name, options, value, changed) {
  const id = `choice-${++serial}`;
  const select = h("select", { id, onchange: () => changed(select.value) },
    ...options.map(([key, words]) => h("option", { value: key }, words)));
  select.value = value;
  return { row: h("div", { class: "field" }, h("label", { for: id }, name), select), select };
}

/** A button. @param {string} words @param {() => void} pressed @param {string} [kind] */
export function button(words, pressed, kind = "") {
  return h("button", { type: "button", class: kind, onclick: pressed }, words);
}

let timer = 0;

/** Say something at the top of the page; it goes after a while. @param {string} words @param {boolean} [bad] */
export function say(words, bad = false) {
  const place = byId("message");
  place.textContent = words;
  place.classList.toggle("bad", bad);
  place.hidden = !words;
  clearTimeout(timer);
  timer = window.setTimeout(() => { place.hidden = true; }, bad ? 9000 : 4000);
}
