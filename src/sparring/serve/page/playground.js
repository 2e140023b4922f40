/** The playground: a GAN on points in the plane, trained on the server step by step and drawn here. */

import { json } from "./api.js";
import { chart, short } from "./chart.js";
import { button, h, showMessage, slider } from "./dom.js";
import { createRenderer } from "./playground-canvas.js";
import { build as buildForm } from "./playground-form.js";

const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200];
const FRAME_MS = 40; // least time between frames
const CHARTS_MS = 500; // time between drawings of the charts
const MAX_CURVE_POINTS = 400;

/** @param {HTMLElement} container */
export async function build(container) {
  let options;
  try {
    options = await json("playground");
  } catch (error) {
    showMessage(error.message, true);
    return;
  }
  let frame = null, playing = false, busy = false, looping = false, speed = 5, chartsDrawnAt = 0, curves = {};
  const canvas = h("canvas", { width: 840, height: 840, class: "playground", tabindex: 0, role: "img", "aria-label": "The game" });
  const renderer = createRenderer(canvas);
  const caption = h("p", { class: "caption", role: "status", "aria-live": "polite" });
  const stats = h("dl", { class: "stats" }), charts = h("div", { class: "charts" });
  const playButton = button("Play", toggle, "strong play"), stepButton = button("Step", () => advance(1));
  const pace = slider("Steps per frame", { min: 0, max: SPEEDS.length - 1, step: 1, value: SPEEDS.indexOf(speed), show: (value) => String(SPEEDS[value]) }, (value) => { speed = SPEEDS[value]; });
  const form = buildForm(options, begin);
  container.classList.add("game");
  container.append(
    h("p", { class: "lead" }, "A GAN has two players. The generator maps noise to points that should pass for real ones; the discriminator learns to tell real from generated points. Each learns from the other."),
    form.presets,
    h("div", { class: "field-and-stats" },
      h("div", { class: "board" }, canvas, h("div", { class: "toolbar" }, playButton, stepButton, button("Restart", () => begin(form.config())), pace.row),
        legend(renderer), h("p", { class: "soft keys" }, "Space plays and pauses, the right arrow makes one step.")),
      h("div", { class: "beside" }, h("div", { class: "card" }, stats, caption), charts)),
    form.card);

  /** Start a game. @param {Object<string, any>} config */
  async function begin(config, plays = playing) {
    playing = false;
    try {
      const first = await json("playground/begin", config, { method: "POST" });
      curves = { generator: [], discriminator: [], modes: [], quality: [], coverage: [] };
      frame = null;
      form.started(config);
      renderer.setStatic(first);
      showFrame(first);
      if (plays && !playing) toggle();
    } catch (error) {
      showMessage(error.message, true);
    }
    updateButtons();
  }

  /** Train some steps. @param {number} count */
  async function advance(count) {
    if (busy || !frame) return;
    busy = true;
    try {
      const next = await json("playground/step", { game: frame.game, n: count }, { method: "POST" });
      if (frame && next.game === frame.game) showFrame(next);
      if (next.diverged_at !== null) playing = false;
    } catch (error) {
      playing = false;
      showMessage(error.message, true);
    } finally {
      busy = false;
      updateButtons();
    }
  }

  async function toggle() {
    playing = !playing && frame !== null && frame.diverged_at === null;
    updateButtons();
    if (!playing || looping) return;
    looping = true;
    while (playing && !container.hidden && container.isConnected) {
      const start = performance.now();
      await advance(speed);
      await new Promise((done) => setTimeout(done, Math.max(4, FRAME_MS - (performance.now() - start))));
    }
    looping = playing = false;
    updateButtons();
  }

  function updateButtons() {
    playButton.textContent = playing ? "Pause" : "Play";
    playButton.disabled = stepButton.disabled = !frame || frame.diverged_at !== null;
    stepButton.disabled ||= playing;
  }

  /** @param {any} next a frame */
  function showFrame(next) {
    frame = next;
    canvas.dataset.step = String(next.step);
    renderer.setFrame(next);
    if (caption.textContent !== next.caption) caption.textContent = next.caption;
    caption.classList.toggle("bad", next.diverged_at !== null);
    showStats(next);
    recordCurves(next);
    const now = performance.now();
    if (!playing || now - chartsDrawnAt > CHARTS_MS || next.step < 3) { chartsDrawnAt = now; drawCharts(); }
    canvas.setAttribute("aria-label", `The game after ${next.step} steps. ${next.caption}`);
  }

  /** @param {any} next */
  function showStats(next) {
    const percent = (fraction) => `${Math.round(100 * fraction)} %`;
    const rows = [["Steps", next.step.toLocaleString("en")], ["Real points seen", short(next.images)]];
    if (next.num_covered !== undefined) rows.push(["Modes covered", `${next.num_covered} of ${next.num_modes}`], ["High quality", percent(next.high_quality)]);
    else rows.push(["Diversity", percent(next.diversity)], ["Coverage", percent(Math.min(1, next.coverage))]);
    stats.replaceChildren(...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  /** @param {any} next */
  function recordCurves(next) {
    const sums = { generator: 0, discriminator: 0 };
    for (const [name, value] of Object.entries(next.losses)) {
      const player = name.split("/")[0];
      if (player in sums) sums[player] += value;
    }
    if (next.steps_taken) for (const [player, value] of Object.entries(sums)) appendPoint(player, next.images, value);
    if (next.num_covered !== undefined) { appendPoint("modes", next.images, next.num_covered / next.num_modes); appendPoint("quality", next.images, next.high_quality); }
    else appendPoint("coverage", next.images, Math.min(1, next.coverage));
  }

  /** @param {string} name @param {number} images @param {number} value */
  function appendPoint(name, images, value) {
    curves[name].push([images, value]);
    if (curves[name].length > MAX_CURVE_POINTS) curves[name] = curves[name].filter((_, index) => index % 2 === 0);
  }

  function drawCharts() {
    const groups = [
      ["Losses", [["discriminator", curves.discriminator], ["generator", curves.generator]]],
      ["Fractions", [["modes covered", curves.modes], ["high quality", curves.quality], ["coverage", curves.coverage]]],
    ];
    const drawable = groups.map(([title, all]) => [title, all.filter(([, points]) => points.length > 1)]).filter(([, all]) => all.length);
    charts.replaceChildren(...drawable.map(([title, all]) =>
      h("figure", { class: "card" }, h("div", { class: "legend" }, ...all.map(([name, points], index) => h("span", { class: `key c${index}` }, `${name} `, h("b", {}, short(points[points.length - 1][1]))))),
        chart(all.map(([name, points]) => ({ name, points })), title), h("figcaption", {}, `${title}, over real points seen`))));
  }

  document.addEventListener("keydown", (event) => {
    if (container.hidden || !container.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    const active = document.activeElement, typing = active?.matches("input, select, textarea, summary");
    const tab = active?.closest("#tabs"), pressed = active?.matches("button") && !tab;
    if (event.key === " " && !typing && !pressed) { event.preventDefault(); toggle(); }
    if (event.key === "ArrowRight" && !typing && !tab && !playing) { event.preventDefault(); advance(1); }
  });
  await begin(form.config(), false);
}

/** What the colours mean, and what is drawn. @param {ReturnType<typeof createRenderer>} renderer */
function legend(renderer) {
  const layer = (name, words) => {
    const box = h("input", { type: "checkbox", checked: renderer.layers[name], onchange: () => { renderer.layers[name] = box.checked; renderer.redraw(); } });
    return h("label", {}, box, words);
  };
  return h("div", { class: "layers" }, h("span", { class: "dot real" }, "real"), h("span", { class: "dot fake" }, "generated"),
    layer("field", "shading: classified as real (orange) or fake (blue)"), layer("arrows", "arrows: gradients of the discriminator"), layer("grid", "grid: latent space, mapped by the generator"));
}
