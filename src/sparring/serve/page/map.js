/** The map of a latent space of two dimensions. */

import { bitmap } from "./api.js";
import { h, say, slider } from "./dom.js";
import { canvas, paint } from "./picture.js";
import { draggable } from "./slot.js";
import { choose, decimal, look, on } from "./store.js";
import { looks } from "./wall.js";

/** @param {HTMLElement} place */
export function build(place) {
  let side = 14, round = 0;
  const grid = h("div", { class: "map", role: "group", "aria-label": "Map of the latent space" });
  place.append(h("p", { class: "lead" }, "The whole latent space at equal shares: each picture stands for as many samples as any other. Choose one to look closer."),
    h("div", { class: "toolbar" }, slider("Across", { min: 6, max: 20, step: 1, value: side }, (value) => { side = value; refresh(); }).row, ...looks().slice(0, -1)), grid);

  async function refresh() {
    const mine = ++round, count = side;
    try {
      const strip = await bitmap("map", { n: count, ...look(), truncation: "" });
      if (mine !== round) return;
      grid.style.gridTemplateColumns = `repeat(${count}, 1fr)`;
      grid.replaceChildren(...Array.from({ length: count * count }, (_, number) => {
        const point = at(number % count, Math.floor(number / count), count);
        const picture = canvas("");
        picture.setAttribute("aria-hidden", "true");
        paint(picture, strip, number, count * count);
        const tile = h("button", { type: "button", class: "tile", "aria-label": point.name, title: point.name, onclick: () => choose(point) }, picture);
        draggable(tile, () => point);
        return tile;
      }));
      strip.close();
    } catch (error) {
      say(error.message, true);
    }
  }

  on("look", refresh);
  on("generator", refresh);
  refresh();
}

/** The point of a cell. @param {number} column @param {number} row @param {number} side */
function at(column, row, side) {
  const [across, down] = [quantile((column + 0.5) / side), quantile(1 - (row + 0.5) / side)];
  return { terms: [{ at: `z${decimal(across)}_${decimal(down)}`, weight: 1 }], edits: {}, name: `place ${across.toFixed(2)}, ${down.toFixed(2)}` };
}

/** Where the normal distribution has this share below it, by bisection of erf's series. @param {number} share */
function quantile(share) {
  let low = -6, high = 6;
  for (let turn = 0; turn < 50; turn++) {
    const middle = (low + high) / 2;
    if (below(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of the standard normal below z. @param {number} z */
function below(z) {
  let term = z, sum = z;
  for (let k = 1; k < 120; k++) sum += (term *= (-z * z * (2 * k - 1)) / (2 * k * (2 * k + 1)));
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}
