/** Samples of a run on points, as a scatter plot over real points. */

import { json } from "./api.js";
import { button, h, showMessage, slider } from "./dom.js";
import { samplingControls } from "./samples.js";
import { on, samplingParameters } from "./store.js";

/** @param {HTMLElement} container */
export function build(container) {
  let seed = 0, count = 1500, round = 0, real = [], fake = [];
  const canvas = h("canvas", { width: 900, height: 900, class: "scatter", role: "img", "aria-label": "Generated points over real ones" });
  const note = h("p", { class: "soft" });
  container.append(h("p", { class: "lead" }, "Real points in grey, generated ones in colour."),
    h("div", { class: "toolbar" }, button("New seed", () => { seed = Math.floor(Math.random() * 1e6); refresh(); }),
      slider("Points", { min: 100, max: 4000, step: 100, value: count }, (value) => { count = value; refresh(); }).row, ...samplingControls()), canvas, note);

  async function refresh() {
    const own = ++round;
    try {
      const { label, truncation } = samplingParameters();
      const response = await json("points", { seed, n: count, label, truncation });
      if (own !== round) return;
      fake = response.points;
      draw();
    } catch (error) {
      showMessage(error.message, true);
    }
  }

  function draw() {
    const visible = real.length ? real : fake;
    const xs = visible.map(([x]) => x), ys = visible.map(([, y]) => y);
    const side = 1.2 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6);
    const left = (Math.max(...xs) + Math.min(...xs) - side) / 2, bottom = (Math.max(...ys) + Math.min(...ys) - side) / 2;
    const context = canvas.getContext("2d"), size = canvas.width, style = getComputedStyle(canvas);
    context.clearRect(0, 0, size, size);
    for (const [points, colour, radius] of [[real, style.getPropertyValue("--soft"), 8], [fake, style.getPropertyValue("--accent"), 3.5]]) {
      context.globalAlpha = points === real ? 0.25 : 0.7;
      context.fillStyle = colour;
      for (const [x, y] of points) {
        context.beginPath();
        context.arc(((x - left) / side) * size, size - ((y - bottom) / side) * size, radius, 0, 7);
        context.fill();
      }
    }
  }

  json("training-points", { n: 2000 }).then((response) => { real = response.points; draw(); }).catch((error) => { note.textContent = error.message; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  on("sampling", refresh);
  on("generator", refresh);
  refresh();
}
