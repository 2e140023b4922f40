/** The map of a two-dimensional latent space. */

import { bitmap } from "./api.js";
import { h, showMessage, slider } from "./dom.js";
import { canvas, paint } from "./image-canvas.js";
import { samplingControls } from "./samples.js";
import { draggable } from "./slot.js";
import { decimal, on, samplingParameters, select } from "./store.js";

/** @param {HTMLElement} container */
export function build(container) {
  let side = 14, round = 0;
  const grid = h("div", { class: "map", role: "group", "aria-label": "Map of the latent space" });
  container.append(h("p", { class: "lead" }, "The latent space at equal quantiles of the prior: every image stands for the same fraction of samples. Select one to look closer."),
    h("div", { class: "toolbar" }, slider("Images per side", { min: 6, max: 20, step: 1, value: side }, (value) => { side = value; refresh(); }).row, ...samplingControls().slice(0, -1)), grid);

  async function refresh() {
    const own = ++round, count = side;
    try {
      const strip = await bitmap("latent-map", { n: count, ...samplingParameters(), truncation: "" });
      if (own !== round) return;
      grid.style.gridTemplateColumns = `repeat(${count}, 1fr)`;
      grid.replaceChildren(...Array.from({ length: count * count }, (_, index) => {
        const point = cellPoint(index % count, Math.floor(index / count), count);
        const image = canvas("");
        image.setAttribute("aria-hidden", "true");
        paint(image, strip, index, count * count);
        const tile = h("button", { type: "button", class: "tile", "aria-label": point.name, title: point.name, onclick: () => select(point) }, image);
        draggable(tile, () => point);
        return tile;
      }));
      strip.close();
    } catch (error) {
      showMessage(error.message, true);
    }
  }

  on("sampling", refresh);
  on("generator", refresh);
  refresh();
}

/** The point at the centre of a cell. @param {number} column @param {number} row @param {number} side */
function cellPoint(column, row, side) {
  const [x, y] = [quantile((column + 0.5) / side), quantile(1 - (row + 0.5) / side)];
  return { terms: [{ term: `z${decimal(x)}_${decimal(y)}`, weight: 1 }], edits: {}, name: `z = (${x.toFixed(2)}, ${y.toFixed(2)})` };
}

/** The quantile function of the standard normal, by bisection. @param {number} probability */
function quantile(probability) {
  let low = -6, high = 6;
  for (let iteration = 0; iteration < 50; iteration++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The distribution function of the standard normal, by its Taylor series. @param {number} z */
function cdf(z) {
  let term = z, sum = z;
  for (let k = 1; k < 120; k++) sum += (term *= (-z * z * (2 * k - 1)) / (2 * k * (2 * k + 1)));
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}
