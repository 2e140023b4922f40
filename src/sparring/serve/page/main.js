/** The page: the views that this run supports, and the tabs between them. */

import { json } from "./api.js";
import { byId, h, showMessage } from "./dom.js";
import { build as inspector } from "./inspector.js";
import { build as map } from "./map.js";
import { build as mix } from "./mix.js";
import { build as playground } from "./playground.js";
import { build as samples } from "./samples.js";
import { build as scatter } from "./scatter.js";
import { savedImages } from "./slot.js";
import { on, state } from "./store.js";
import { build as training, follow } from "./training.js";
import { build as upload } from "./upload.js";
import { build as walk } from "./walk.js";

/**
 * A view is a module with `build(container)`, which fills an element when the view is first opened. A new view is one module and a row here.
 * @type {Array<{id: string, title: string, when: (run: any) => boolean, build: (container: HTMLElement) => void}>}
 */
const VIEWS = [
  { id: "samples", title: "Samples", when: (run) => run.kind === "images", build: samples },
  { id: "points", title: "Samples", when: (run) => run.kind === "points", build: scatter },
  { id: "map", title: "Map", when: (run) => run.has_map, build: map },
  { id: "walk", title: "Walk", when: (run) => run.kind === "images", build: walk },
  { id: "mix", title: "Mix", when: (run) => run.kind === "images", build: mix },
  { id: "yours", title: "Your image", when: (run) => run.kind === "images", build: upload },
  { id: "translate", title: "Translate", when: (run) => run.kind === "translator", build: upload },
  { id: "game", title: "The game", when: (run) => run.playground, build: playground },
  { id: "training", title: "Training", when: (run) => run.has_record, build: training },
];

/** @param {string} id */
function open(id) {
  for (const tab of byId("tabs").children) {
    const selected = tab.dataset.id === id;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    if (selected) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  for (const panel of byId("view").children) panel.hidden = panel.id !== `view-${id}`;
  if (!byId(`view-${id}`)) {
    const view = VIEWS.find((one) => one.id === id);
    const panel = h("section", { id: `view-${id}`, role: "tabpanel", "aria-label": view.title });
    byId("view").append(panel);
    view.build(panel);
  }
  document.body.dataset.view = id;
  if (matchMedia("(max-width: 860px)").matches) document.body.classList.remove("inspecting");
  if (location.hash !== `#${id}`) history.replaceState(null, "", `#${id}`);
}

/** Move between tabs with the arrow keys. @param {KeyboardEvent} event */
function moveFocus(event) {
  const tabs = [...byId("tabs").children], active = tabs.indexOf(document.activeElement);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (active < 0 || !step) return;
  const next = tabs[(active + step + tabs.length) % tabs.length];
  next.focus();
  open(next.dataset.id);
}

function showTitle() {
  const { name, recipe, images, kind, error } = state.run;
  byId("name").textContent = name;
  document.title = `${name} · Sparring`;
  byId("chip").textContent = kind === "playground" ? "playground" : kind === "none" ? "no generator yet" : `${recipe} · ${Number(images).toLocaleString("en")} images`;
  byId("chip").hidden = false;
  if (error) showMessage(error);
}

function showTabs() {
  const views = VIEWS.filter((view) => view.when(state.run));
  byId("tabs").replaceChildren(...views.map((view) => h("button", { type: "button", role: "tab", "data-id": view.id, onclick: () => open(view.id) }, view.title)));
  byId("view").replaceChildren();
  const hash = location.hash.slice(1);
  open(views.some((view) => view.id === hash) ? hash : views[0]?.id ?? "training");
}

async function createLink() {
  try {
    const { link } = await json("link", {}, { method: "POST" });
    await navigator.clipboard?.writeText(link).catch(() => undefined);
    showMessage(`A one-time link for another browser (copied): ${link}`);
  } catch (error) {
    showMessage(error.message, true);
  }
}

async function begin() {
  try {
    state.run = await json("run");
  } catch (error) {
    showMessage(error.message, true);
    return;
  }
  showTitle();
  showTabs();
  byId("tabs").addEventListener("keydown", moveFocus);
  byId("link").addEventListener("click", createLink);
  inspector(byId("inspector"));
  const redraw = savedImages(byId("saved"));
  for (const name of ["saved", "generator", "sampling"]) on(name, redraw);
  on("generator", showTitle);
  on("kind", () => { showTitle(); showTabs(); });
  on("selection", () => document.body.classList.add("inspecting"));
  window.addEventListener("hashchange", () => byId("tabs").querySelector(`[data-id="${CSS.escape(location.hash.slice(1))}"]`)?.click());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") document.body.classList.remove("inspecting"); });
  if (state.run.has_record) window.setTimeout(follow, 5000);
  document.body.dataset.ready = "yes";
}

begin();
