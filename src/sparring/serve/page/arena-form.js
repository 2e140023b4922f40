/** The rules of the next game: points, recipe, and all that can be changed of it. */

import { button, choice, h, slider } from "./dom.js";

const RATES = [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const WEIGHTS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const SETS = { ring: "ring: 8 modes", grid: "grid: 25 modes", swissroll: "swiss roll", own: "this run's points" };
const NAMES = { auto: "auto (ours)", gan: "GAN", lsgan: "LSGAN", wgan: "WGAN", wgan_gp: "WGAN-GP", dragan: "DRAGAN", sngan: "SNGAN", pacgan: "PacGAN", r3gan: "R3GAN" };
const WORDS = {
  minimax: "minimax", nonsaturating: "non-saturating", least_squares: "least squares", wasserstein: "Wasserstein", hinge: "hinge",
  relativistic: "relativistic pairs", feature_matching: "feature matching",
};

const USUAL = { r1: 0.1, r1_r2: 0.1, one_centred: 1, dragan: 1, weight_clip: 0.1 };

/** The place of the nearest one. @param {number[]} all @param {number} value */
const nearest = (all, value) => all.reduce((best, one, at) => (Math.abs(one - value) < Math.abs(all[best] - value) ? at : best), 0);

/**
 * @param {any} choices as `/api/arena` tells them
 * @param {(rules: Object<string, any>, plays?: boolean) => void} begin
 */
export function build(choices, begin) {
  const first = choices.recipes.find((one) => one.name === "gan") ?? choices.recipes[0];
  let rules = { ...first.rules, points: choices.points[0] };
  const about = h("p", { class: "soft" }), anew = button("Start anew with these", () => begin({ ...rules }), "strong");
  const set = {};

  /** @param {string} key */
  const changed = (key) => (value) => { rules[key] = value; waiting(true); };
  const pick = (key, words, options, then = changed(key)) => {
    const found = choice(words, options, String(rules[key]), then);
    set[key] = (value) => { found.select.value = String(value); };
    return found.row;
  };
  const slide = (key, words, all) => {
    const found = slider(words, { min: 0, max: all.length - 1, step: 1, value: nearest(all, rules[key]), show: (at) => String(all[at]) }, (at) => changed(key)(all[at]));
    set[key] = (value) => found.set(nearest(all, value));
    return found.row;
  };

  /** @param {Object<string, any>} next */
  function fill(next) {
    rules = { ...rules, ...next };
    for (const [key, put] of Object.entries(set)) put(rules[key]);
    about.textContent = choices.recipes.find((one) => one.name === rules.recipe)?.words ?? "";
    waiting(true);
  }

  /** A penalty of weight 0 is none: it begins with its usual one. @param {string} name */
  const penalty = (name) => fill({ penalty: name, weight: name === "none" ? 0 : rules.weight || USUAL[name] });

  /** @param {string} name */
  const recipe = (name) => fill({ ...choices.recipes.find((one) => one.name === name).rules, points: rules.points, seed: rules.seed });
  const waiting = (yes) => card.classList.toggle("waiting-rules", yes);
  const seed = h("input", { type: "number", id: "arena-seed", min: 0, max: 2147483647, step: 1, value: rules.seed, onchange: () => changed("seed")(Math.min(2147483647, Math.max(0, Math.floor(Number(seed.value) || 0)))) });
  set.seed = (value) => { seed.value = String(value); };

  const card = h("section", { class: "card rules", "aria-label": "Rules of the next game" }, h("h2", {}, "The rules"),
    h("div", { class: "rule-grid" },
      pick("points", "Points", choices.points.map((name) => [name, SETS[name] ?? name])),
      h("div", {}, pick("recipe", "Recipe", choices.recipes.map((one) => [one.name, NAMES[one.name] ?? one.name]), recipe), about),
      pick("objective", "Objective", choices.objectives.map((name) => [name, WORDS[name] ?? name])),
      pick("penalty", "Penalty on the discriminator", choices.penalties, penalty),
      slide("weight", "Its weight, or the limit", WEIGHTS),
      slide("rate", "Learning rate of the generator", RATES),
      slide("rate_judge", "Learning rate of the discriminator", RATES),
      slide("moves", "Discriminator's moves a step", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      slide("latent", "Numbers of noise", [1, 2, 3, 4, 6, 8, 12, 16]),
      slide("width", "Units a layer", [4, 8, 16, 32, 64, 128]),
      pick("waves", "What the networks are given", [["0", "coordinates"], ["1", "coordinates and waves of them"]]),
      slide("batch", "Points a move", [8, 16, 32, 64, 128, 256, 512]),
      h("div", { class: "field" }, h("label", { for: "arena-seed" }, "Seed"), seed)),
    h("div", { class: "actions" }, anew, h("span", { class: "soft wait" }, "Changed: it holds from the next start.")));
  const presets = h("div", { class: "presets", role: "group", "aria-label": "Games worth seeing" },
    ...choices.presets.map((one) => h("button", { type: "button", title: one.why, onclick: () => { fill(one.rules); begin({ ...rules }, true); } }, one.words)));
  fill({});
  return {
    card,
    presets,
    /** As they are set now. */
    rules: () => ({ ...rules }),
    /** A game was begun by these. @param {Object<string, any>} used */
    begun: (used) => waiting(JSON.stringify(used) !== JSON.stringify(rules)),
  };
}
