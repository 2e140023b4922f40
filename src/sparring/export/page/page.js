// The page's only script: it asks the model for pictures and draws them. Nothing is loaded from elsewhere.
import * as ort from "./runtime/ort.wasm.min.mjs";

const $ = (id) => document.getElementById(id);
const facts = await (await fetch("model.json")).json();
const state = { a: 0, b: 1, walk: 0, truncation: 1, pushes: [], first: 0 };
let bank = new Float32Array(0), axes = new Float32Array(0), sessions = {}, queue = Promise.resolve();

ort.env.wasm.wasmPaths = new URL("runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

// ---- the model

async function session(name) {
  const file = facts.graphs.find((graph) => graph.name === name).file;
  sessions[name] ??= await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  return sessions[name];
}

function inTurn(work) {  // the runtime does one thing at a time
  const done = queue.then(work);
  queue = done.catch(() => {});
  return done;
}

async function make(latents, labels, truncation = 1) {
  const count = latents.length, flat = new Float32Array(count * facts.latent);
  latents.forEach((z, i) => flat.set(z, i * facts.latent));
  const given = {
    latent: new ort.Tensor("float32", flat, [count, facts.latent]),
    truncation: new ort.Tensor("float32", Float32Array.of(truncation), []),
  };
  if (facts.classes.length) given.label = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [count]);
  return inTurn(async () => {
    const net = await session("generator"), began = performance.now();
    const { samples } = await net.run(given);
    return { data: samples.data, each: facts.shape.reduce((x, y) => x * y), ms: (performance.now() - began) / count };
  });
}

// ---- latents: the first are those of `sparring sample --seed 0`, all others are drawn here

function normals(number) {
  let s = (number * 2654435761 + 12345) >>> 0;
  const uniform = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const z = new Float32Array(facts.latent);
  for (let i = 0; i < z.length; i += 2) {
    const r = Math.sqrt(-2 * Math.log(1 - uniform())), turn = 2 * Math.PI * uniform();
    z[i] = r * Math.cos(turn);
    if (i + 1 < z.length) z[i + 1] = r * Math.sin(turn);
  }
  return z;
}

const latent = (n) => n < facts.bank ? bank.subarray(n * facts.latent, (n + 1) * facts.latent) : normals(n);

function label(n) {
  const chosen = facts.classes.length ? $("class").value : "";
  if (chosen) return Number(chosen);
  return n < facts.labels.length ? facts.labels[n] : n % Math.max(1, facts.classes.length);
}

const labelAt = (t) => label(t < 0.5 ? state.a : state.b);  // halfway the class changes

function between(a, b, t) {  // along the great circle, lengths linearly
  if (t === 0) return a.slice();
  if (t === 1) return b.slice();
  const length = (z) => Math.hypot(...z), la = length(a), lb = length(b);
  const cosine = a.reduce((sum, x, i) => sum + x * b[i], 0) / (la * lb), angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-3) return a.map((x, i) => x + t * (b[i] - x));
  const wa = Math.sin((1 - t) * angle) / Math.sin(angle), wb = Math.sin(t * angle) / Math.sin(angle), l = la + t * (lb - la);
  return a.map((x, i) => l * (wa * x / la + wb * b[i] / lb));
}

function pushed(z) {
  const moved = z.slice();
  state.pushes.forEach((push, k) => {
    if (push) for (let i = 0; i < moved.length; i++) moved[i] += push * axes[k * facts.latent + i];
  });
  return moved;
}

// ---- drawing

function paint(canvas, data, start, shape) {
  const [channels, height, width] = shape, plane = height * width;
  const image = new ImageData(width, height), out = image.data;  // clamps, and rounds halves to even
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) out[4 * i + c] = (data[start + (channels < 3 ? 0 : c) * plane + i] + 1) * 127.5;
    out[4 * i + 3] = channels === 4 ? (data[start + 3 * plane + i] + 1) * 127.5 : 255;
  }
  canvas.width = width; canvas.height = height;
  canvas.classList.toggle("crisp", Math.max(width, height) <= 128);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function tile(holder, onclick, title) {
  const button = document.createElement("button"), canvas = document.createElement("canvas");
  button.type = "button"; button.title = title; button.ariaLabel = title;
  canvas.width = facts.shape[2]; canvas.height = facts.shape[1];
  button.append(canvas); button.onclick = onclick; holder.append(button);
  return canvas;
}

function save(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob); link.download = name; link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

const latest = (work) => {  // while one is being made, only the last wish waits
  let running = false, waiting = false;
  return async function go() {
    if (running) { waiting = true; return; }
    running = true;
    try { do { waiting = false; await work(); } while (waiting); } catch (error) { failed(error); } finally { running = false; }
  };
};

function failed(error) {
  $("status").hidden = false;
  $("status").textContent = `This did not work: ${error.message ?? error}`;
  document.body.dataset.state = "failed";
}

// ---- pictures from latents

const STRIP = 9, WALL = 24;

const current = () => pushed(between(latent(state.a), latent(state.b), state.walk));

const showPicture = latest(async () => {
  const made = await make([current()], [labelAt(state.walk)], state.truncation);
  paint($("picture"), made.data, 0, facts.shape);
  const where = state.walk === 0 ? `picture ${state.a}` : state.walk === 1 ? `picture ${state.b}` : `${Math.round(100 * state.walk)} % of the way from ${state.a} to ${state.b}`;
  const class_ = facts.classes.length ? `, ${facts.classes[labelAt(state.walk)]}` : "";
  $("said").textContent = `${where}${class_} · ${made.ms.toFixed(made.ms < 10 ? 1 : 0)} ms`;
  document.body.dataset.shown = `${state.a}/${state.b}/${state.walk}/${labelAt(state.walk)}`;
  document.body.dataset.ms = made.ms;
});

const showStrip = latest(async () => {
  const steps = [...Array(STRIP).keys()].map((i) => i / (STRIP - 1));
  const made = await make(steps.map((t) => pushed(between(latent(state.a), latent(state.b), t))), steps.map(labelAt), state.truncation);
  [...$("strip").querySelectorAll("canvas")].forEach((canvas, i) => paint(canvas, made.data, i * made.each, facts.shape));
});

const showWall = latest(async () => {
  const numbers = [...Array(WALL).keys()].map((i) => state.first + i);
  const made = await make(numbers.map(latent), numbers.map(label), state.truncation);
  [...$("wall").children].forEach((button, i) => {
    paint(button.firstChild, made.data, i * made.each, facts.shape);
    button.title = button.ariaLabel = `picture ${numbers[i]}`;
  });
  marks();
  $("earlier").disabled = state.first === 0;
});

function marks() {
  [...$("wall").children].forEach((button, i) => {
    button.classList.toggle("isa", state.first + i === state.a);
    button.classList.toggle("isb", state.first + i === state.b && state.b !== state.a);
  });
}

function changed(wall = false) {
  $("a").value = state.a; $("b").value = state.b; $("walk").value = state.walk;
  $("truncationvalue").textContent = state.truncation.toFixed(2);
  marks(); showPicture(); showStrip();
  if (wall) showWall();
}

function choose(which, number) {
  state[which] = Math.min(999999999, Math.max(0, Math.floor(number) || 0));
  state.walk = which === "a" ? 0 : 1;
  changed();
}

let walking = 0;
function walk() {
  const button = $("play"), began = performance.now() - 4000 * Math.acos(1 - 2 * state.walk) / Math.PI;
  if (walking) { cancelAnimationFrame(walking); walking = 0; button.ariaPressed = "false"; button.textContent = "Walk"; return; }
  button.ariaPressed = "true"; button.textContent = "Stop";
  const step = () => {
    state.walk = (1 - Math.cos(Math.PI * (performance.now() - began) / 4000)) / 2;
    $("walk").value = state.walk;
    showPicture();
    walking = requestAnimationFrame(step);
  };
  walking = requestAnimationFrame(step);
}

function sliders() {
  for (let k = 0; k < facts.directions.length; k++) {
    const line = document.createElement("label"), name = document.createElement("span"), slider = document.createElement("input");
    name.textContent = name.title = facts.directions[k];
    Object.assign(slider, { type: "range", min: -4, max: 4, step: 0.05, value: 0 });
    slider.oninput = () => { state.pushes[k] = Number(slider.value); changed(); };
    line.append(name, slider); $("directions").append(line); state.pushes.push(0);
  }
  $("directions").hidden = !facts.directions.length;
}

function reset() {
  Object.assign(state, { walk: 0, truncation: 1, pushes: state.pushes.map(() => 0) });
  $("truncation").value = 1;
  $("directions").querySelectorAll("input").forEach((slider) => { slider.value = 0; });
  changed(true);
}

const surprise = () => { state.b = state.a; choose("a", Math.floor(Math.random() * 1e6)); };

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName) || event.key === " " && event.target.tagName === "BUTTON") return;
  const act = { ArrowLeft: () => choose("a", state.a - 1), ArrowRight: () => choose("a", state.a + 1), " ": walk, r: surprise, d: () => $("download").click() }[event.key];
  if (act) { event.preventDefault(); act(); }
}

async function maker() {
  $("maker").hidden = $("keys").hidden = false;
  facts.classes.forEach((name, i) => $("class").add(new Option(name, i)));
  $("class").add(new Option("as in the data", "", true, true), 0);
  $("classrow").hidden = !facts.classes.length;
  sliders();
  for (let i = 0; i < STRIP; i++) tile($("strip"), () => { state.walk = i / (STRIP - 1); changed(); }, `${Math.round(100 * i / (STRIP - 1))} % of the way`);
  for (let i = 0; i < WALL; i++) tile($("wall"), (event) => choose(event.shiftKey ? "b" : document.querySelector("[name=role]:checked").value, state.first + i), "");
  for (const which of ["a", "b"]) $(which).onchange = () => choose(which, Number($(which).value));
  document.querySelectorAll("[data-step]").forEach((button) => {
    const [which, step] = button.dataset.step.split(",");
    button.onclick = () => choose(which, state[which] + Number(step));
  });
  $("walk").oninput = () => { state.walk = Number($("walk").value); showPicture(); };
  $("truncation").oninput = () => { state.truncation = Number($("truncation").value); changed(true); };
  $("class").onchange = () => changed(true);
  $("play").onclick = walk; $("random").onclick = surprise; $("reset").onclick = reset;
  $("earlier").onclick = () => { state.first = Math.max(0, state.first - WALL); showWall(); };
  $("later").onclick = () => { state.first += WALL; showWall(); };
  $("download").onclick = () => save($("picture"), `${facts.recipe}-${state.a}.png`);
  document.addEventListener("keydown", keys);
  $("note").textContent = `Pictures 0 to ${facts.bank - 1} are those of “sparring sample --seed 0”, number by number; the others are drawn by the browser.`;
  changed();
  await showWall();
}

// ---- points

let drawn = 0;
const showPoints = latest(async () => {
  const count = Number($("count").value), truncation = Number($("pointstruncation").value);
  $("countvalue").textContent = count; $("pointstruncationvalue").textContent = truncation.toFixed(2);
  const numbers = [...Array(count).keys()].map((i) => drawn + i);
  const made = await make(numbers.map(latent), numbers.map(label), truncation);
  const canvas = $("points"), pen = canvas.getContext("2d"), side = canvas.width, [cx, cy = 0] = facts.units.centre, reach = 2.6 * Math.max(...facts.units.scale);
  pen.clearRect(0, 0, side, side);
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  pen.globalAlpha = Math.min(0.8, 0.25 + 400 / count);
  for (let i = 0; i < count; i++) {
    const x = (made.data[i * made.each] - cx) / reach, y = made.each > 1 ? (made.data[i * made.each + 1] - cy) / reach : (i * 0.618034) % 1 - 0.5;
    pen.beginPath(); pen.arc(side * (0.5 + x / 2), side * (0.5 - y / 2), 3.2, 0, 7); pen.fill();
  }
  $("pointssaid").textContent = `${count.toLocaleString("en")} points · ${(made.ms * 1000).toFixed(0)} µs each`;
  document.body.dataset.shown = `points/${count}/${truncation}`;
});

function cloud() {
  $("cloud").hidden = false;
  $("count").oninput = $("pointstruncation").oninput = showPoints;
  $("again").onclick = () => { drawn = Math.floor(Math.random() * 1e6) + facts.bank; showPoints(); };
  $("pointsdownload").onclick = () => save($("points"), `${facts.recipe}-points.png`);
  matchMedia("(prefers-color-scheme: dark)").onchange = showPoints;
  return showPoints();
}

// ---- picture to picture

let given = null, name = "picture";

const translate = latest(async () => {
  if (!given) return;
  const graph = facts.graphs.find((found) => found.name === $("way").value), [channels, h, w] = graph.from;
  const longest = Number($("side").value) || Math.max(h, w), [fh, fw] = graph.fixed ?? [longest, longest];
  const scale = Math.min(fh / given.height, fw / given.width);
  const width = Math.max(1, Math.round(given.width * scale)), height = Math.max(1, Math.round(given.height * scale));
  const before = $("before"), pen = before.getContext("2d", { willReadFrequently: true });
  before.width = width; before.height = height;
  pen.fillStyle = "#fff"; pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high"; pen.drawImage(given, 0, 0, width, height);
  $("both").hidden = false; $("after").classList.add("busy");
  const pixels = pen.getImageData(0, 0, width, height).data;
  const up = (side) => Math.ceil(side / graph.multiple) * graph.multiple, tall = graph.fixed?.[0] ?? Math.max(up(height), graph.least), wide = graph.fixed?.[1] ?? Math.max(up(width), graph.least);
  const x = new Float32Array(channels * tall * wide);
  const mirrored = (i, side) => { const period = Math.max(1, 2 * side - 2); i %= period; return i < side ? i : period - i; };
  for (let r = 0; r < tall; r++) for (let q = 0; q < wide; q++) {
    const at = 4 * (mirrored(r, height) * width + mirrored(q, width));
    const grey = 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    for (let c = 0; c < channels; c++) x[(c * tall + r) * wide + q] = (channels === 1 ? Math.round(grey) : pixels[at + c]) / 127.5 - 1;
  }
  await inTurn(async () => {
    const net = await session(graph.name), began = performance.now();
    const { translated } = await net.run({ picture: new ort.Tensor("float32", x, [1, channels, tall, wide]) });
    const whole = document.createElement("canvas"), after = $("after");
    paint(whole, translated.data, 0, [graph.to[0], tall, wide]);
    after.width = width; after.height = height;
    for (const canvas of [before, after]) canvas.classList.toggle("crisp", Math.max(width, height) <= 128);
    after.getContext("2d").drawImage(whole, 0, 0);
    $("aftersaid").textContent = `after · ${width} × ${height} · ${(performance.now() - began).toFixed(0)} ms`;
    document.body.dataset.shown = `${graph.name}/${name}/${width}x${height}`;
  });
  $("after").classList.remove("busy");
});

async function take(file) {
  if (!file?.type.startsWith("image/")) return;
  try { given = await createImageBitmap(file); } catch { return failed(new Error(`${file.name} is no picture that this browser can read`)); }
  $("status").hidden = true;
  name = file.name.replace(/\.[^.]*$/, "") || "picture";
  translate();
}

async function translator() {
  $("translator").hidden = false;
  facts.graphs.forEach((graph) => $("way").add(new Option(graph.name.replaceAll("-", " "), graph.name)));
  $("side").parentElement.hidden = facts.graphs.every((graph) => graph.fixed);
  $("wayrow").hidden = facts.graphs.length < 2;
  $("way").onchange = $("side").onchange = translate;
  $("file").onchange = () => take($("file").files[0]);
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
  $("afterdownload").onclick = () => save($("after"), `${name}-${$("way").value}.png`);
  await session(facts.graphs[0].name);
}

// ---- begin

async function numbers(file) { return new Float32Array(await (await fetch(file)).arrayBuffer()); }

try {
  document.title = $("title").textContent = facts.title;
  $("facts").textContent = facts.said;
  if (facts.kind !== "translator") [bank, axes] = await Promise.all([numbers("latents.bin"), numbers("directions.bin")]);
  await { pictures: maker, points: cloud, translator }[facts.kind]();
  if (document.body.dataset.state !== "failed") { $("status").hidden = true; document.body.dataset.state = "ready"; }
} catch (error) {
  failed(error);
}
