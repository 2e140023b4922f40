/** The state that the views share, and events about its changes. */

/**
 * A point of the latent space: a mix of terms, then steps along directions. `http.py` parses its encoding.
 * @typedef {{terms: Array<{term: string, weight: number}>, edits: Object<string, number>, label?: number|null, blendLabel?: number|null, blendWeight?: number, name: string}} Point
 */

export const state = {
  /** The response of `/api/run`. @type {any} */
  run: {},
  /** How images are sampled. */
  sampling: { label: "", truncation: 1 },
  /** The selected image. @type {Point|null} */
  selected: null,
  /** Saved images. @type {Point[]} */
  saved: [],
};

const target = new EventTarget();

/** Listen to `selection`, `sampling`, `saved`, `generator` or `kind`. @param {string} name @param {() => void} listener */
export const on = (name, listener) => target.addEventListener(name, listener);

/** Notify the listeners of an event. @param {string} name */
export const emit = (name) => target.dispatchEvent(new Event(name));

/** Select an image. @param {Point} point */
export function select(point) {
  state.selected = { ...point, edits: { ...point.edits } };
  emit("selection");
}

/** The point of a sample. @param {number} seed @param {number} index @returns {Point} */
export const sample = (seed, index) => ({ terms: [{ term: `s${seed}.${index}`, weight: 1 }], edits: {}, name: `seed ${seed}, index ${index}` });

/** The terms of a point as a query parameter. @param {Point} point */
export const encodePoint = (point) => point.terms.map(({ term, weight }) => (weight === 1 ? term : `${term}*${decimal(weight)}`)).join(",");

/** The edits of a point as a query parameter. @param {Point} point */
export const encodeEdits = (point) => Object.entries(point.edits).filter(([, amount]) => amount).map(([id, amount]) => `${id}:${decimal(amount)}`).join(",");

/** Query parameters of sampling: class, blended class, truncation, and the digest of the generator. @param {Point|null} [point] */
export function samplingParameters(point = null) {
  const label = point?.label ?? state.sampling.label;
  const truncation = state.sampling.truncation === 1 ? "" : state.sampling.truncation;
  const blend_label = point?.blendWeight ? point.blendLabel ?? "" : "";
  return { label, blend_label, blend_weight: blend_label === "" ? "" : decimal(point.blendWeight), truncation, digest: state.run.digest };
}

/** The query of one image. @param {Point} point */
export const query = (point) => ({ point: encodePoint(point), edits: encodeEdits(point), ...samplingParameters(point) });

/** A number with at most three decimals, as the server expects. @param {number} value */
export const decimal = (value) => String(Math.round(value * 1000) / 1000);
