/** The run as it goes: how far, the doctor's words, samples over time, curves. */

import { address, json } from "./api.js";
import { h, slider } from "./dom.js";
import { chart, short } from "./chart.js";
import { emit, state } from "./store.js";

const SECONDS = 3;
const MARKS = { bad: "In trouble", warning: "May be wrong", early: "Too early to tell", well: "All is well" };

/** @param {HTMLElement} place */
export function build(place) {
  let moments = [], latest = true;
  const bar = h("progress", { max: 1, value: 0, "aria-label": "How far the run is" });
  const far = h("p", { class: "far" });
  const doctor = h("section", { class: "card doctor", "aria-label": "The doctor's words" });
  const picture = h("img", { class: "sheet", alt: "Samples of that moment" });
  const when = slider("Moment", { min: 0, max: 0, step: 1, value: 0, show: (value) => (moments[value] ? `${short(Number(moments[value]))} images` : "") }, (value) => {
    latest = value === moments.length - 1;
    show(value);
  });
  const strip = h("section", { class: "card" }, h("h2", {}, "Samples over time"), when.row, picture);
  const charts = h("div", { class: "charts" });
  place.append(h("div", { class: "card" }, far, bar), h("div", { class: "columns" }, strip, doctor), charts);

  /** @param {number} number */
  function show(number) {
    const wanted = moments[number] === undefined ? "" : address("sheet", { images: moments[number] });
    if (wanted && picture.getAttribute("src") !== wanted) picture.src = wanted;
    strip.hidden = !wanted;
  }

  async function refresh() {
    if (place.hidden) return window.setTimeout(refresh, SECONDS * 1000);
    try {
      const told = await json("progress");
      bar.value = told.total ? told.images / told.total : 0;
      const speed = told.latest.images_per_second;
      const rate = speed && !told.finished ? `, ${short(speed)} images/s` : "";
      far.textContent = `${told.finished ? "Finished" : "Under way"}: ${told.images.toLocaleString("en")} of ${told.total.toLocaleString("en")} images${rate}`;
      words(told.doctor);
      moments = told.strip;
      when.input.max = String(Math.max(0, moments.length - 1));
      if (latest) when.set(moments.length - 1);
      show(Number(when.input.value));
      charts.replaceChildren(...told.charts.map(figure));
      if (!told.finished) window.setTimeout(refresh, SECONDS * 1000);
    } catch (error) {
      far.textContent = error.message;
      window.setTimeout(refresh, 2 * SECONDS * 1000);
    }
  }

  /** @param {any} told */
  function words(told) {
    doctor.replaceChildren(h("h2", {}, "The doctor"), h("p", {}, h("span", { class: `mark ${told.verdict}` }, MARKS[told.verdict] ?? told.verdict), ` ${told.words}`),
      ...told.findings.map((one) => h("details", { class: one.severity, open: one.severity === "bad" }, h("summary", {}, one.title), h("p", {}, one.words),
        h("ul", {}, ...one.advice.map((advice) => h("li", {}, advice))))),
      ...told.unseen.map((one) => h("p", { class: "soft" }, `Not seen: ${one}.`)));
  }

  /** @param {any} one */
  const figure = (one) => h("figure", { class: "card" }, h("div", { class: "legend" }, ...one.curves.map((curve, number) =>
    h("span", { class: `key c${number % 6}` }, `${curve.name} `, h("b", {}, short(curve.points[curve.points.length - 1][1]))))), chart(one.curves, one.title), h("figcaption", {}, one.title));

  refresh();
}

/** While a run is under way, look for a newer generator, and tell the views. */
export async function follow() {
  try {
    const about = await json("about");
    const changed = about.digest !== state.about.digest;
    const other = about.kind !== state.about.kind;
    Object.assign(state.about, about);
    if (other) emit("kind");
    else if (changed) emit("generator");
  } finally {
    window.setTimeout(follow, 5000);
  }
}
