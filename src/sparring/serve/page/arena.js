/** The game itself, on points in the plane: played on the server step by step, drawn here. */

import { json } from "./api.js";
import { build as form } from "./arena-form.js";
import { painter } from "./arena-paint.js";
import { chart, short } from "./chart.js";
import { button, h, say, slider } from "./dom.js";

const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200];
const FRAME = 40; // ms between frames at least
const CHARTS = 500; // ms between drawings of the curves
const LONGEST = 400; // points of a curve

/** @param {HTMLElement} place */
export async function build(place) {
  let choices;
  try {
    choices = await json("arena");
  } catch (error) {
    say(error.message, true);
    return;
  }
  let frame = null, playing = false, busy = false, speed = 5, drawn = 0, curves = {};
  const picture = h("canvas", { width: 840, height: 840, class: "arena", tabindex: 0, role: "img", "aria-label": "The game" });
  const paint = painter(picture);
  const words = h("p", { class: "said", role: "status", "aria-live": "polite" });
  const facts = h("dl", { class: "facts" }), charts = h("div", { class: "charts" });
  const go = button("Play", toggle, "strong go"), once = button("Step", () => advance(1));
  const pace = slider("Steps a frame", { min: 0, max: SPEEDS.length - 1, step: 1, value: SPEEDS.indexOf(speed), show: (value) => String(SPEEDS[value]) }, (value) => { speed = SPEEDS[value]; });
  const settings = form(choices, begin);
  place.classList.add("game");
  place.append(
    h("p", { class: "lead" }, "Two players. The generator makes points from noise and wants them to pass for real; the discriminator, its judge, wants to tell real from made wherever it looks. Each learns from the other."),
    settings.presets,
    h("div", { class: "field-and-facts" },
      h("div", { class: "board" }, picture, h("div", { class: "toolbar" }, go, once, button("Start anew", () => begin(settings.rules())), pace.row),
        legend(paint), h("p", { class: "soft keys" }, "Space plays and pauses, the right arrow makes one step.")),
      h("div", { class: "beside" }, h("div", { class: "card" }, facts, words), charts)),
    settings.card);

  /** Start a game. @param {Object<string, any>} rules */
  async function begin(rules, plays = playing) {
    playing = false;
    try {
      const found = await json("arena/begin", rules, { method: "POST" });
      curves = { generator: [], discriminator: [], modes: [], target: [], reached: [] };
      frame = null;
      settings.begun(rules);
      paint.still(found);
      take(found);
      if (plays && !playing) toggle();
    } catch (error) {
      say(error.message, true);
    }
    button_();
  }

  /** Play some steps. @param {number} count */
  async function advance(count) {
    if (busy || !frame) return;
    busy = true;
    try {
      const found = await json("arena/step", { game: frame.game, n: count }, { method: "POST" });
      if (frame && found.game === frame.game) take(found);
      if (found.lost !== null) playing = false;
    } catch (error) {
      playing = false;
      say(error.message, true);
    } finally {
      busy = false;
      button_();
    }
  }

  async function toggle() {
    playing = !playing && frame !== null && frame.lost === null;
    button_();
    if (!playing || toggle.going) return;
    toggle.going = true;
    while (playing && !place.hidden && place.isConnected) {
      const began = performance.now();
      await advance(speed);
      await new Promise((done) => setTimeout(done, Math.max(4, FRAME - (performance.now() - began))));
    }
    toggle.going = playing = false;
    button_();
  }

  function button_() {
    go.textContent = playing ? "Pause" : "Play";
    go.disabled = once.disabled = !frame || frame.lost !== null;
    once.disabled ||= playing;
  }

  /** @param {any} found a frame */
  function take(found) {
    frame = found;
    picture.dataset.step = String(found.step);
    paint.frame(found);
    if (words.textContent !== found.words) words.textContent = found.words;
    words.classList.toggle("bad", found.lost !== null);
    tell(found);
    note(found);
    const now = performance.now();
    if (!playing || now - drawn > CHARTS || found.step < 3) { drawn = now; draw(); }
    picture.setAttribute("aria-label", `The game after ${found.step} steps. ${found.words}`);
  }

  /** @param {any} found */
  function tell(found) {
    const rows = [["Steps", found.step.toLocaleString("en")], ["Real points seen", short(found.images)]];
    if (found.modes !== undefined) rows.push(["Modes held", `${found.modes} of ${found.modes_of}`], ["On target", `${Math.round(100 * found.on_target)} %`]);
    else rows.push(["Variety", `${Math.round(100 * found.diversity)} %`], ["Places reached", `${Math.round(100 * Math.min(1, found.reached))} %`]);
    facts.replaceChildren(...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  /** @param {any} found */
  function note(found) {
    const sums = { generator: 0, discriminator: 0 };
    for (const [name, value] of Object.entries(found.terms)) {
      const player = name.split("/")[0];
      if (player in sums) sums[player] += value;
    }
    if (found.played) for (const [player, value] of Object.entries(sums)) put(player, found.images, value);
    if (found.modes !== undefined) { put("modes", found.images, found.modes / found.modes_of); put("target", found.images, found.on_target); }
    else put("reached", found.images, Math.min(1, found.reached));
  }

  /** @param {string} name @param {number} at @param {number} value */
  function put(name, at, value) {
    curves[name].push([at, value]);
    if (curves[name].length > LONGEST) curves[name] = curves[name].filter((_, number) => number % 2 === 0);
  }

  function draw() {
    const groups = [
      ["Losses, each player's own", [["discriminator", curves.discriminator], ["generator", curves.generator]]],
      ["Shares of 1", [["modes held", curves.modes], ["on target", curves.target], ["places reached", curves.reached]]],
    ];
    charts.replaceChildren(...groups.map(([title, all]) => [title, all.filter(([, points]) => points.length > 1)]).filter(([, all]) => all.length).map(([title, all]) =>
      h("figure", { class: "card" }, h("div", { class: "legend" }, ...all.map(([name, points], number) => h("span", { class: `key c${number}` }, `${name} `, h("b", {}, short(points[points.length - 1][1]))))),
        chart(all.map(([name, points]) => ({ name, points })), title), h("figcaption", {}, `${title}, over real points seen`))));
  }

  document.addEventListener("keydown", (event) => {
    if (place.hidden || !place.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement, typing = at?.matches("input, select, textarea, summary");
    const tab = at?.closest("#tabs"), pressed = at?.matches("button") && !tab;
    if (event.key === " " && !typing && !pressed) { event.preventDefault(); toggle(); }
    if (event.key === "ArrowRight" && !typing && !tab && !playing) { event.preventDefault(); advance(1); }
  });
  await begin(settings.rules(), false);
}

/** What the colours mean, and what is drawn. @param {ReturnType<typeof painter>} paint */
function legend(paint) {
  const show = (name, words, kind) => {
    const box = h("input", { type: "checkbox", checked: paint.shown[name], onchange: () => { paint.shown[name] = box.checked; paint.again(); } });
    return h("label", { class: `show ${kind}` }, box, words);
  };
  return h("div", { class: "shows" }, h("span", { class: "dot real" }, "real"), h("span", { class: "dot made" }, "made"),
    show("field", "shading: where the judge sees real (orange) or made (blue)", "shade"), show("arrows", "arrows: where it sends the points", "ways"), show("net", "net: the noise, bent by the generator", "net"));
}
