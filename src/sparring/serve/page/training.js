/** Training progress: images seen, the doctor's diagnosis, samples over time, curves. */

import { json, url } from "./api.js";
import { h, slider } from "./dom.js";
import { chart, short } from "./chart.js";
import { emit, state } from "./store.js";

const REFRESH_MS = 3000;
const FOLLOW_MS = 5000;
const VERDICTS = { bad: "In trouble", warning: "May be wrong", early: "Too early to tell", well: "All is well" };

/** @param {HTMLElement} container */
export function build(container) {
  let previews = [], latest = true;
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Training progress" });
  const text = h("p", { class: "progress-text" });
  const doctor = h("section", { class: "card doctor", "aria-label": "The doctor's diagnosis" });
  const image = h("img", { class: "preview", alt: "Samples after this number of images" });
  const position = slider("After", { min: 0, max: 0, step: 1, value: 0, show: (value) => (previews[value] ? `${short(Number(previews[value]))} images` : "") }, (value) => {
    latest = value === previews.length - 1;
    show(value);
  });
  const samples = h("section", { class: "card" }, h("h2", {}, "Samples over time"), position.row, image);
  const charts = h("div", { class: "charts" });
  container.append(h("div", { class: "card" }, text, bar), h("div", { class: "columns" }, samples, doctor), charts);

  /** @param {number} index */
  function show(index) {
    const source = previews[index] === undefined ? "" : url("preview", { images: previews[index] });
    if (source && image.getAttribute("src") !== source) image.src = source;
    samples.hidden = !source;
  }

  async function refresh() {
    if (container.hidden) return window.setTimeout(refresh, REFRESH_MS);
    try {
      const progress = await json("progress"), { images, total_images, finished } = progress;
      bar.value = total_images ? images / total_images : 0;
      const speed = progress.latest.images_per_second;
      const rate = speed && !finished ? `, ${short(speed)} images/s` : "";
      text.textContent = `${finished ? "Finished" : "Training"}: ${images.toLocaleString("en")} of ${total_images.toLocaleString("en")} images${rate}`;
      showDiagnosis(progress.doctor);
      previews = progress.previews;
      position.input.max = String(Math.max(0, previews.length - 1));
      if (latest) position.set(previews.length - 1);
      show(Number(position.input.value));
      charts.replaceChildren(...progress.charts.map(figure));
      if (!finished) window.setTimeout(refresh, REFRESH_MS);
    } catch (error) {
      text.textContent = error.message;
      window.setTimeout(refresh, 2 * REFRESH_MS);
    }
  }

  /** @param {any} diagnosis */
  function showDiagnosis(diagnosis) {
    doctor.replaceChildren(h("h2", {}, "The doctor"), h("p", {}, h("span", { class: `mark ${diagnosis.verdict}` }, VERDICTS[diagnosis.verdict] ?? diagnosis.verdict), ` ${diagnosis.summary}`),
      ...diagnosis.findings.map((one) => h("details", { class: one.severity, open: one.severity === "bad" }, h("summary", {}, one.title), h("p", {}, one.message),
        h("ul", {}, ...one.advice.map((advice) => h("li", {}, advice))))),
      ...diagnosis.not_checked.map((one) => h("p", { class: "soft" }, `Not checked: ${one}.`)));
  }

  /** @param {any} one */
  const figure = (one) => h("figure", { class: "card" }, h("div", { class: "legend" }, ...one.curves.map((curve, index) =>
    h("span", { class: `key c${index % 6}` }, `${curve.name} `, h("b", {}, short(curve.points[curve.points.length - 1][1]))))), chart(one.curves, one.title), h("figcaption", {}, one.title));

  refresh();
}

/** Look for a newer generator from time to time, and notify the views. */
export async function follow() {
  try {
    const run = await json("run"), { digest, kind } = state.run;
    Object.assign(state.run, run);
    if (run.kind !== kind) emit("kind");
    else if (run.digest !== digest) emit("generator");
  } finally {
    window.setTimeout(follow, FOLLOW_MS);
  }
}
