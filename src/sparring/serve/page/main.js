/** The page: which views there are for this run, and going from one to another. */

import { json } from "./api.js";
import { build as arena } from "./arena.js";
import { byId, h, say } from "./dom.js";
import { build as inspector } from "./inspector.js";
import { build as map } from "./map.js";
import { build as mix } from "./mix.js";
import { build as scatter } from "./scatter.js";
import { shelf } from "./slot.js";
import { emit, on, state } from "./store.js";
import { build as training, follow } from "./training.js";
import { build as upload } from "./upload.js";
import { build as walk } from "./walk.js";
import { build as wall } from "./wall.js";

/**
 * A view is a module with `build(place)`, which fills an element when it is first shown. A new view is one module and a line here.
 * @type {Array<{id: string, title: string, when: (about: any) => boolean, build: (place: HTMLElement) => void}>}
 */
const VIEWS = [
  { id: "samples", title: "Samples", when: (about) => about.kind === "pictures", build: wall },
  { id: "points", title: "Samples", when: (about) => about.kind === "points", build: scatter },
  { id: "map", title: "Map", when: (about) => about.map, build: map },
  { id: "walk", title: "Walk", when: (about) => about.kind === "pictures", build: walk },
  { id: "mix", title: "Mix", when: (about) => about.kind === "pictures", build: mix },
  { id: "yours", title: "Your picture", when: (about) => about.kind === "pictures", build: upload },
  { id: "translate", title: "Translate", when: (about) => about.kind === "translator", build: upload },
  { id: "game", title: "The game", when: (about) => about.arena, build: arena },
  { id: "training", title: "Training", when: (about) => about.live, build: training },
];

/** @param {string} id */
function open(id) {
  for (const tab of byId("tabs").children) {
    const chosen = tab.dataset.id === id;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  for (const place of byId("view").children) place.hidden = place.id !== `view-${id}`;
  if (!byId(`view-${id}`)) {
    const view = VIEWS.find((one) => one.id === id);
    const place = h("section", { id: `view-${id}`, role: "tabpanel", "aria-label": view.title });
    byId("view").append(place);
    view.build(place);
  }
  document.body.dataset.view = id;
  if (matchMedia("(max-width: 860px)").matches) document.body.classList.remove("inspecting");
  if (location.hash !== `#${id}`) history.replaceState(null, "", `#${id}`);
}

/** @param {KeyboardEvent} event */
function arrows(event) {
  const tabs = [...byId("tabs").children], here = tabs.indexOf(document.activeElement);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (here < 0 || !step) return;
  const next = tabs[(here + step + tabs.length) % tabs.length];
  next.focus();
  open(next.dataset.id);
}

function title() {
  const { name, recipe, images, kind, why } = state.about;
  byId("name").textContent = name;
  document.title = `${name} · Sparring`;
  byId("chip").textContent = kind === "arena" ? "the game alone" : kind === "none" ? "no generator yet" : `${recipe} · ${Number(images).toLocaleString("en")} images`;
  byId("chip").hidden = false;
  if (why) say(why);
}

function tabs() {
  const views = VIEWS.filter((view) => view.when(state.about));
  byId("tabs").replaceChildren(...views.map((view) => h("button", { type: "button", role: "tab", "data-id": view.id, onclick: () => open(view.id) }, view.title)));
  byId("view").replaceChildren();
  const wanted = location.hash.slice(1);
  open(views.some((view) => view.id === wanted) ? wanted : views[0]?.id ?? "training");
}

async function elsewhere() {
  try {
    const { link } = await json("link", {}, { method: "POST" });
    await navigator.clipboard?.writeText(link).catch(() => undefined);
    say(`A link for another browser, which works once (copied): ${link}`);
  } catch (error) {
    say(error.message, true);
  }
}

async function begin() {
  try {
    state.about = await json("about");
  } catch (error) {
    say(error.message, true);
    return;
  }
  title();
  tabs();
  byId("tabs").addEventListener("keydown", arrows);
  byId("link").addEventListener("click", elsewhere);
  inspector(byId("inspector"));
  const redraw = shelf(byId("shelf"), () => undefined);
  for (const name of ["shelf", "generator", "look"]) on(name, redraw);
  on("generator", title);
  on("kind", () => { title(); tabs(); });
  on("current", () => document.body.classList.add("inspecting"));
  window.addEventListener("hashchange", () => byId("tabs").querySelector(`[data-id="${CSS.escape(location.hash.slice(1))}"]`)?.click());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") document.body.classList.remove("inspecting"); });
  if (state.about.live) window.setTimeout(follow, 5000);
  emit("ready");
  document.body.dataset.ready = "yes";
}

begin();
