/** Line charts as SVG. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [480, 210, 48, 10, 8, 24];
const NUM_COLOURS = 6;

/** @param {string} tag @param {Object<string, any>} attributes @param {string} [text] */
function svg(tag, attributes, text) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A number in at most three digits. @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (size && size < 1e-3) return value.toExponential(1);
  return String(+value.toPrecision(3));
}

/** Round values in a range. @param {number} low @param {number} high @param {number} count */
function ticks(low, high, count) {
  const raw = (high - low) / count, unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= raw);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) values.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  return values;
}

/** The range of the y axis, without outliers. @param {number[]} values */
function valueRange(values) {
  const sorted = [...values].sort((a, b) => a - b), quantile = (fraction) => sorted[Math.round(fraction * (sorted.length - 1))];
  const [low, high] = sorted.length > 50 ? [quantile(0.01), quantile(0.99)] : [sorted[0], sorted[sorted.length - 1]];
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - margin, high + margin];
}

/**
 * A chart of curves over images seen.
 * @param {Array<{name: string, points: Array<[number, number]>}>} curves
 * @param {string} title
 */
export function chart(curves, title) {
  const all = curves.flatMap((curve) => curve.points), [low, high] = valueRange(all.map(([, y]) => y));
  const first = Math.min(...all.map(([x]) => x)), last = Math.max(...all.map(([x]) => x), first + 1);
  const toX = (x) => LEFT + ((x - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const toY = (y) => HEIGHT - BOTTOM - ((Math.min(high, Math.max(low, y)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const summary = curves.map((curve) => `${curve.name} ${short(curve.points[curve.points.length - 1][1])}`).join(", ");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${summary}` });
  for (const y of ticks(low, high, 4)) {
    drawing.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: toY(y), y2: toY(y), class: "grid" }), svg("text", { x: LEFT - 6, y: toY(y) + 4, "text-anchor": "end" }, short(y)));
  }
  for (const x of ticks(first, last, 4)) drawing.append(svg("text", { x: toX(x), y: HEIGHT - 6, "text-anchor": "middle" }, short(x)));
  curves.forEach((curve, index) => {
    const colour = `line c${index % NUM_COLOURS}`;
    if (curve.points.length === 1) drawing.append(svg("circle", { cx: toX(curve.points[0][0]), cy: toY(curve.points[0][1]), r: 3, class: colour }));
    else drawing.append(svg("polyline", { points: curve.points.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(" "), class: colour }));
  });
  return drawing;
}
