/** The settings of the next game: data set, recipe, and everything that can be changed about it. */

import { button, choice, h, slider } from "./dom.js";

const LEARNING_RATES = [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const WEIGHTS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const DATASET_TITLES = { ring: "ring: 8 modes", grid: "grid: 25 modes", swissroll: "Swiss roll", run: "this run's points" };
const RECIPE_TITLES = { auto: "auto (Sparring's default)", gan: "GAN", lsgan: "LSGAN", wgan: "WGAN", wgan_gp: "WGAN-GP", dragan: "DRAGAN", sngan: "SNGAN", pacgan: "PacGAN", r3gan: "R3GAN" };

/** The index of the nearest value. @param {number[]} values @param {number} value */
const nearestIndex = (values, value) => values.reduce((best, one, index) => (Math.abs(one - value) < Math.abs(values[best] - value) ? index : best), 0);

/**
 * @param {any} options the response of `/api/playground`
 * @param {(config: Object<string, any>, plays?: boolean) => void} begin
 */
export function build(options, begin) {
  const first = options.recipes.find((one) => one.name === "gan") ?? options.recipes[0];
  let config = { ...first.config, dataset: options.datasets[0] };
  const description = h("p", { class: "soft" }), startButton = button("Start with these settings", () => begin({ ...config }), "strong");
  /** Functions that show a setting's value, by the setting's name. @type {Object<string, (value: any) => void>} */
  const setters = {};

  /** @param {string} key */
  const change = (key) => (value) => { config[key] = value; markChanged(true); };
  const pick = (key, name, entries, onChange = change(key)) => {
    const field = choice(name, entries, String(config[key]), onChange);
    setters[key] = (value) => { field.select.value = String(value); };
    return field.row;
  };
  const slide = (key, name, values) => {
    const field = slider(name, { min: 0, max: values.length - 1, step: 1, value: nearestIndex(values, config[key]), show: (index) => String(values[index]) }, (index) => change(key)(values[index]));
    setters[key] = (value) => field.set(nearestIndex(values, value));
    return field.row;
  };

  /** @param {Object<string, any>} changes */
  function update(changes) {
    config = { ...config, ...changes };
    for (const [key, set] of Object.entries(setters)) set(config[key]);
    description.textContent = options.recipes.find((one) => one.name === config.recipe)?.description ?? "";
    markChanged(true);
  }

  /** A weight of 0 disables a penalty: a penalty that is chosen then starts with its default weight. @param {string} name */
  function selectPenalty(name) {
    const { penalty_weight } = options.penalties.find((one) => one.name === name);
    update({ penalty: name, penalty_weight: penalty_weight && (config.penalty_weight || penalty_weight) });
  }

  /** @param {string} name */
  const selectRecipe = (name) => update({ ...options.recipes.find((one) => one.name === name).config, dataset: config.dataset, seed: config.seed });
  const markChanged = (changed) => card.classList.toggle("changed", changed);
  const seed = h("input", { type: "number", id: "playground-seed", min: 0, max: 2147483647, step: 1, value: config.seed, onchange: () => change("seed")(Math.min(2147483647, Math.max(0, Math.floor(Number(seed.value) || 0)))) });
  setters.seed = (value) => { seed.value = String(value); };

  const card = h("section", { class: "card settings", "aria-label": "Settings of the next game" }, h("h2", {}, "Settings"),
    h("div", { class: "settings-grid" },
      pick("dataset", "Data set", options.datasets.map((name) => [name, DATASET_TITLES[name] ?? name])),
      h("div", {}, pick("recipe", "Recipe", options.recipes.map((one) => [one.name, RECIPE_TITLES[one.name] ?? one.name]), selectRecipe), description),
      pick("objective", "Objective", options.objectives.map((one) => [one.name, one.title])),
      pick("penalty", "Penalty on the discriminator", options.penalties.map((one) => [one.name, one.title]), selectPenalty),
      slide("penalty_weight", "Penalty weight, or clipping limit", WEIGHTS),
      slide("generator_lr", "Learning rate of the generator", LEARNING_RATES),
      slide("discriminator_lr", "Learning rate of the discriminator", LEARNING_RATES),
      slide("critic_steps", "Discriminator updates per step", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      slide("latent", "Latent dimension", [1, 2, 3, 4, 6, 8, 12, 16]),
      slide("width", "Hidden width", [4, 8, 16, 32, 64, 128]),
      pick("fourier_features", "Inputs of the networks", [["0", "coordinates"], ["1", "with Fourier features"]]),
      slide("batch_size", "Batch size", [8, 16, 32, 64, 128, 256, 512]),
      h("div", { class: "field" }, h("label", { for: "playground-seed" }, "Seed"), seed)),
    h("div", { class: "actions" }, startButton, h("span", { class: "soft changed-note" }, "Changed: takes effect at the next start.")));
  const presets = h("div", { class: "presets", role: "group", "aria-label": "Presets" },
    ...options.presets.map((one) => h("button", { type: "button", title: one.description, onclick: () => { update(one.config); begin({ ...config }, true); } }, one.title)));
  update({});
  return {
    card,
    presets,
    /** The current settings. */
    config: () => ({ ...config }),
    /** A game was started with these settings. @param {Object<string, any>} used */
    started: (used) => markChanged(JSON.stringify(used) !== JSON.stringify(config)),
  };
}
