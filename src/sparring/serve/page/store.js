/** What the parts of the page share, and how they hear of changes. */

/**
 * A point of the latent space: a mix of terms, then steps along directions. See `asked.py` for how it is written.
 * @typedef {{terms: Array<{at: string, weight: number}>, edits: Object<string, number>, label?: number|null, towards?: number|null, share?: number, name: string}} Point
 */

export const state = {
  /** What the server said of the run. @type {any} */
  about: {},
  /** How pictures are drawn. */
  look: { label: "", truncation: 1 },
  /** The chosen picture. @type {Point|null} */
  current: null,
  /** Kept ones. @type {Point[]} */
  shelf: [],
};

const target = new EventTarget();

/** Hear of `current`, `look`, `shelf` or `generator`. @param {string} name @param {() => void} what */
export const on = (name, what) => target.addEventListener(name, what);

/** Tell. @param {string} name */
export const emit = (name) => target.dispatchEvent(new Event(name));

/** Choose a picture. @param {Point} point */
export function choose(point) {
  state.current = { ...point, edits: { ...point.edits } };
  emit("current");
}

/** The point of a sample. @param {number} seed @param {number} index @returns {Point} */
export const sample = (seed, index) => ({ terms: [{ at: `s${seed}.${index}`, weight: 1 }], edits: {}, name: `seed ${seed}, number ${index}` });

/** Terms, as in an address. @param {Point} point */
export const at = (point) => point.terms.map((term) => (term.weight === 1 ? term.at : `${term.at}*${decimal(term.weight)}`)).join(",");

/** Edits, as in an address. @param {Point} point */
export const edit = (point) => Object.entries(point.edits).filter(([, amount]) => amount).map(([id, amount]) => `${id}:${decimal(amount)}`).join(",");

/** How it is drawn: class and truncation, and which generator the address is for. @param {Point|null} [point] */
export function look(point = null) {
  const label = point && point.label !== undefined && point.label !== null ? point.label : state.look.label;
  const truncation = state.look.truncation === 1 ? "" : state.look.truncation;
  const towards = point?.share ? point.towards : null;
  return { label, towards, share: towards === null || towards === undefined ? "" : decimal(point.share), truncation, v: state.about.digest };
}

/** The query of one picture. @param {Point} point */
export const query = (point) => ({ at: at(point), edit: edit(point), ...look(point) });

/** A number as the server reads it. @param {number} value */
export const decimal = (value) => String(Math.round(value * 1000) / 1000);
