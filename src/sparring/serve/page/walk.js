/** A walk from A to B. */

import { bitmap } from "./api.js";
import { button, choice, h, say, slider } from "./dom.js";
import { canvas, download, paint } from "./picture.js";
import { slot } from "./slot.js";
import { at, edit, look, on, sample } from "./store.js";

/** @param {HTMLElement} place */
export function build(place) {
  let steps = 12, kind = "spherical", round = 0, playing = 0;
  /** @type {ImageBitmap|null} */
  let strip = null;
  const big = canvas("A place on the walk");
  big.classList.add("large");
  const film = h("div", { class: "film" });
  const where = slider("Place", { min: 0, max: 100, step: 1, value: 0, show: (value) => `${value}%` }, show);
  const a = slot("A", refresh), b = slot("B", refresh);
  const play = button("Play", toggle, "strong");
  const save = button("Download strip", () => strip && download(whole(), "walk"));
  place.append(
    h("p", { class: "lead" }, "Put a picture at each end; the way between them is what the generator sees as between."),
    h("div", { class: "slots" }, a.element, b.element),
    h("div", { class: "toolbar" },
      slider("Pictures", { min: 3, max: 24, step: 1, value: steps }, (value) => { steps = value; refresh(); }).row,
      choice("Way", [["spherical", "along the sphere"], ["linear", "straight"]], kind, (value) => { kind = value; refresh(); }).row),
    h("div", { class: "stage" }, big, h("div", { class: "grow" }, where.row, h("div", { class: "actions" }, play, save))), film);

  async function refresh() {
    if (!a.point || !b.point) return;
    const mine = ++round;
    try {
      const found = await bitmap("walk", { at: at(a.point), edit: edit(a.point), to: at(b.point), toedit: edit(b.point), steps, kind, ...look(a.point) });
      if (mine !== round) return;
      strip?.close();
      strip = found;
      film.replaceChildren(...Array.from({ length: steps }, (_, number) => {
        const picture = canvas(`Step ${number + 1} of ${steps}`);
        paint(picture, found, number, steps);
        return picture;
      }));
      show(Number(where.input.value));
    } catch (error) {
      say(error.message, true);
    }
  }

  /** @param {number} percent */
  function show(percent) {
    const count = film.children.length;
    if (!strip || !count) return;
    const number = Math.round((percent / 100) * (count - 1));
    paint(big, strip, number, count);
    [...film.children].forEach((picture, other) => picture.classList.toggle("on", other === number));
  }

  function toggle() {
    if (playing) {
      clearInterval(playing);
      playing = 0;
      play.textContent = "Play";
      return;
    }
    if (!strip) { say("Fill A and B first."); return; }
    let time = Number(where.input.value), way = 1;
    play.textContent = "Pause";
    playing = window.setInterval(() => {
      if (!place.isConnected || place.hidden) return;
      time += way * 2;
      if (time >= 100 || time <= 0) { way = -way; time = Math.max(0, Math.min(100, time)); }
      where.set(time);
      show(time);
    }, 50);
  }

  function whole() {
    const made = h("canvas"), width = strip.width, height = strip.height / film.children.length;
    [made.width, made.height] = [width * film.children.length, height];
    [...film.children].forEach((picture, number) => made.getContext("2d").drawImage(picture, number * width, 0));
    return made;
  }

  for (const name of ["look", "generator"]) on(name, () => { a.redraw(); b.redraw(); refresh(); });
  a.put(sample(0, 0));
  b.put(sample(0, 1));
}
