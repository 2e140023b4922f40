/** Samples of a run on points, as a scatter plot over the real ones. */

import { json } from "./api.js";
import { button, h, say, slider } from "./dom.js";
import { looks } from "./wall.js";
import { look, on } from "./store.js";

/** @param {HTMLElement} place */
export function build(place) {
  let seed = 0, count = 1500, round = 0, real = [], made = [];
  const picture = h("canvas", { width: 900, height: 900, class: "scatter", role: "img", "aria-label": "Generated points over real ones" });
  const note = h("p", { class: "soft" });
  place.append(h("p", { class: "lead" }, "Real points in grey, generated ones in colour."),
    h("div", { class: "toolbar" }, button("New seed", () => { seed = Math.floor(Math.random() * 1e6); refresh(); }),
      slider("Points", { min: 100, max: 4000, step: 100, value: count }, (value) => { count = value; refresh(); }).row, ...looks()), picture, note);

  async function refresh() {
    const mine = ++round;
    try {
      const { label, truncation } = look();
      const found = await json("points", { seed, n: count, label, truncation });
      if (mine !== round) return;
      made = found.points;
      draw();
    } catch (error) {
      say(error.message, true);
    }
  }

  function draw() {
    const view = real.length ? real : made;
    const xs = view.map(([x]) => x), ys = view.map(([, y]) => y);
    const side = 1.2 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6);
    const left = (Math.max(...xs) + Math.min(...xs) - side) / 2, low = (Math.max(...ys) + Math.min(...ys) - side) / 2;
    const pen = picture.getContext("2d"), size = picture.width, style = getComputedStyle(picture);
    pen.clearRect(0, 0, size, size);
    for (const [points, colour, radius] of [[real, style.getPropertyValue("--soft"), 8], [made, style.getPropertyValue("--accent"), 3.5]]) {
      pen.globalAlpha = points === real ? 0.25 : 0.7;
      pen.fillStyle = colour;
      for (const [x, y] of points) {
        pen.beginPath();
        pen.arc(((x - left) / side) * size, size - ((y - low) / side) * size, radius, 0, 7);
        pen.fill();
      }
    }
  }

  json("real-points", { n: 2000 }).then((found) => { real = found.points; draw(); }).catch((error) => { note.textContent = error.message; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  on("look", refresh);
  on("generator", refresh);
  refresh();
}
