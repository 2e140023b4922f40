// The page's only script: runs the model and draws its output. Nothing is loaded from other hosts.
import * as ort from "./runtime/ort.wasm.min.mjs";

const $ = (id) => document.getElementById(id);
const metadata = await (await fetch("model.json")).json();
const state = { a: 0, b: 1, walk: 0, truncation: 1, offsets: [], first: 0 };
let latents = new Float32Array(0), directions = new Float32Array(0), sessions = {}, queue = Promise.resolve();

ort.env.wasm.wasmPaths = new URL("runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

// ---- the model

async function session(name) {
  const file = metadata.graphs.find((graph) => graph.name === name).file;
  sessions[name] ??= await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  return sessions[name];
}

function serialized(work) {  // the runtime runs one model at a time
  const done = queue.then(work);
  queue = done.catch(() => {});
  return done;
}

async function generate(zs, labels, truncation = 1) {
  const count = zs.length, flat = new Float32Array(count * metadata.latent);
  zs.forEach((z, i) => flat.set(z, i * metadata.latent));
  const inputs = {
    latent: new ort.Tensor("float32", flat, [count, metadata.latent]),
    truncation: new ort.Tensor("float32", Float32Array.of(truncation), []),
  };
  if (metadata.classes.length) inputs.label = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [count]);
  return serialized(async () => {
    const net = await session("generator"), start = performance.now();
    const { samples } = await net.run(inputs);
    return { data: samples.data, size: metadata.shape.reduce((x, y) => x * y), ms: (performance.now() - start) / count };
  });
}

// ---- latents: the first are those of `sparring sample --seed 0`, all others are generated here

function normals(index) {
  let s = (index * 2654435761 + 12345) >>> 0;
  const uniform = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const z = new Float32Array(metadata.latent);
  for (let i = 0; i < z.length; i += 2) {
    const r = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
    z[i] = r * Math.cos(angle);
    if (i + 1 < z.length) z[i + 1] = r * Math.sin(angle);
  }
  return z;
}

const latent = (n) => n < metadata.num_latents ? latents.subarray(n * metadata.latent, (n + 1) * metadata.latent) : normals(n);

function label(n) {
  const selected = metadata.classes.length ? $("class").value : "";
  if (selected) return Number(selected);
  return n < metadata.labels.length ? metadata.labels[n] : n % Math.max(1, metadata.classes.length);
}

const labelAt = (t) => label(t < 0.5 ? state.a : state.b);  // the class changes halfway

function interpolate(a, b, t) {  // spherical, with linear norms
  if (t === 0) return a.slice();
  if (t === 1) return b.slice();
  const norm = (z) => Math.hypot(...z), la = norm(a), lb = norm(b);
  const cosine = a.reduce((sum, x, i) => sum + x * b[i], 0) / (la * lb), angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-3) return a.map((x, i) => x + t * (b[i] - x));
  const wa = Math.sin((1 - t) * angle) / Math.sin(angle), wb = Math.sin(t * angle) / Math.sin(angle), l = la + t * (lb - la);
  return a.map((x, i) => l * (wa * x / la + wb * b[i] / lb));
}

function applyDirections(z) {
  const moved = z.slice();
  state.offsets.forEach((offset, k) => {
    if (offset) for (let i = 0; i < moved.length; i++) moved[i] += offset * directions[k * metadata.latent + i];
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
  canvas.width = metadata.shape[2]; canvas.height = metadata.shape[1];
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

const coalesced = (work) => {  // calls while `work` runs become one more run after it
  let running = false, waiting = false;
  return async function run() {
    if (running) { waiting = true; return; }
    running = true;
    try { do { waiting = false; await work(); } while (waiting); } catch (error) { failed(error); } finally { running = false; }
  };
};

function failed(error) {
  $("status").hidden = false;
  $("status").textContent = `Error: ${error.message ?? error}`;
  document.body.dataset.state = "failed";
}

// ---- images of latents

const STRIP_LENGTH = 9, PAGE_SIZE = 24;

const current = () => applyDirections(interpolate(latent(state.a), latent(state.b), state.walk));

const showImage = coalesced(async () => {
  const output = await generate([current()], [labelAt(state.walk)], state.truncation);
  paint($("image"), output.data, 0, metadata.shape);
  const position = state.walk === 0 ? `image ${state.a}` : state.walk === 1 ? `image ${state.b}` : `${Math.round(100 * state.walk)} % of the way from ${state.a} to ${state.b}`;
  const className = metadata.classes.length ? `, ${metadata.classes[labelAt(state.walk)]}` : "";
  $("caption").textContent = `${position}${className} · ${output.ms.toFixed(output.ms < 10 ? 1 : 0)} ms`;
  document.body.dataset.shown = `${state.a}/${state.b}/${state.walk}/${labelAt(state.walk)}`;
  document.body.dataset.ms = output.ms;
});

const showStrip = coalesced(async () => {
  const steps = [...Array(STRIP_LENGTH).keys()].map((i) => i / (STRIP_LENGTH - 1));
  const output = await generate(steps.map((t) => applyDirections(interpolate(latent(state.a), latent(state.b), t))), steps.map(labelAt), state.truncation);
  [...$("strip").querySelectorAll("canvas")].forEach((canvas, i) => paint(canvas, output.data, i * output.size, metadata.shape));
});

const showSamples = coalesced(async () => {
  const numbers = [...Array(PAGE_SIZE).keys()].map((i) => state.first + i);
  const output = await generate(numbers.map(latent), numbers.map(label), state.truncation);
  [...$("samples").children].forEach((button, i) => {
    paint(button.firstChild, output.data, i * output.size, metadata.shape);
    button.title = button.ariaLabel = `image ${numbers[i]}`;
  });
  markEndpoints();
  $("earlier").disabled = state.first === 0;
});

function markEndpoints() {
  [...$("samples").children].forEach((button, i) => {
    button.classList.toggle("is-a", state.first + i === state.a);
    button.classList.toggle("is-b", state.first + i === state.b && state.b !== state.a);
  });
}

function update(samples = false) {
  $("a").value = state.a; $("b").value = state.b; $("walk").value = state.walk;
  $("truncation-value").textContent = state.truncation.toFixed(2);
  markEndpoints(); showImage(); showStrip();
  if (samples) showSamples();
}

function select(endpoint, index) {
  state[endpoint] = Math.min(999999999, Math.max(0, Math.floor(index) || 0));
  state.walk = endpoint === "a" ? 0 : 1;
  update();
}

let animation = 0;
function toggleWalk() {
  const button = $("play"), start = performance.now() - 4000 * Math.acos(1 - 2 * state.walk) / Math.PI;
  if (animation) { cancelAnimationFrame(animation); animation = 0; button.ariaPressed = "false"; button.textContent = "Walk"; return; }
  button.ariaPressed = "true"; button.textContent = "Stop";
  const step = () => {
    state.walk = (1 - Math.cos(Math.PI * (performance.now() - start) / 4000)) / 2;
    $("walk").value = state.walk;
    showImage();
    animation = requestAnimationFrame(step);
  };
  animation = requestAnimationFrame(step);
}

function addDirectionSliders() {
  for (let k = 0; k < metadata.directions.length; k++) {
    const row = document.createElement("label"), name = document.createElement("span"), slider = document.createElement("input");
    name.textContent = name.title = metadata.directions[k];
    Object.assign(slider, { type: "range", min: -4, max: 4, step: 0.05, value: 0 });
    slider.oninput = () => { state.offsets[k] = Number(slider.value); update(); };
    row.append(name, slider); $("directions").append(row); state.offsets.push(0);
  }
  $("directions").hidden = !metadata.directions.length;
}

function reset() {
  Object.assign(state, { walk: 0, truncation: 1, offsets: state.offsets.map(() => 0) });
  $("truncation").value = 1;
  $("directions").querySelectorAll("input").forEach((slider) => { slider.value = 0; });
  update(true);
}

const randomize = () => { state.b = state.a; select("a", Math.floor(Math.random() * 1e6)); };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName) || event.key === " " && event.target.tagName === "BUTTON") return;
  const action = { ArrowLeft: () => select("a", state.a - 1), ArrowRight: () => select("a", state.a + 1), " ": toggleWalk, r: randomize, d: () => $("download").click() }[event.key];
  if (action) { event.preventDefault(); action(); }
}

async function generatorView() {
  $("generator").hidden = $("keys").hidden = false;
  metadata.classes.forEach((name, i) => $("class").add(new Option(name, i)));
  $("class").add(new Option("as in the data", "", true, true), 0);
  $("class-row").hidden = !metadata.classes.length;
  addDirectionSliders();
  for (let i = 0; i < STRIP_LENGTH; i++) tile($("strip"), () => { state.walk = i / (STRIP_LENGTH - 1); update(); }, `${Math.round(100 * i / (STRIP_LENGTH - 1))} % of the way`);
  for (let i = 0; i < PAGE_SIZE; i++) tile($("samples"), (event) => select(event.shiftKey ? "b" : document.querySelector("[name=endpoint]:checked").value, state.first + i), "");
  for (const endpoint of ["a", "b"]) $(endpoint).onchange = () => select(endpoint, Number($(endpoint).value));
  document.querySelectorAll("[data-step]").forEach((button) => {
    const [endpoint, step] = button.dataset.step.split(",");
    button.onclick = () => select(endpoint, state[endpoint] + Number(step));
  });
  $("walk").oninput = () => { state.walk = Number($("walk").value); showImage(); };
  $("truncation").oninput = () => { state.truncation = Number($("truncation").value); update(true); };
  $("class").onchange = () => update(true);
  $("play").onclick = toggleWalk; $("random").onclick = randomize; $("reset").onclick = reset;
  $("earlier").onclick = () => { state.first = Math.max(0, state.first - PAGE_SIZE); showSamples(); };
  $("later").onclick = () => { state.first += PAGE_SIZE; showSamples(); };
  $("download").onclick = () => save($("image"), `${metadata.recipe}-${state.a}.png`);
  document.addEventListener("keydown", onKey);
  $("note").textContent = `Images 0 to ${metadata.num_latents - 1} are those of “sparring sample --seed 0”, in the same order; the others have latents that the browser generates.`;
  update();
  await showSamples();
}

// ---- points

let firstPoint = 0;
const showPoints = coalesced(async () => {
  const count = Number($("count").value), truncation = Number($("points-truncation").value);
  $("count-value").textContent = count; $("points-truncation-value").textContent = truncation.toFixed(2);
  const numbers = [...Array(count).keys()].map((i) => firstPoint + i);
  const output = await generate(numbers.map(latent), numbers.map(label), truncation);
  const canvas = $("points"), context = canvas.getContext("2d"), side = canvas.width, [cx, cy = 0] = metadata.units.centre, extent = 2.6 * Math.max(...metadata.units.scale);
  context.clearRect(0, 0, side, side);
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  context.globalAlpha = Math.min(0.8, 0.25 + 400 / count);
  for (let i = 0; i < count; i++) {
    const x = (output.data[i * output.size] - cx) / extent, y = output.size > 1 ? (output.data[i * output.size + 1] - cy) / extent : (i * 0.618034) % 1 - 0.5;
    context.beginPath(); context.arc(side * (0.5 + x / 2), side * (0.5 - y / 2), 3.2, 0, 7); context.fill();
  }
  $("points-caption").textContent = `${count.toLocaleString("en")} points · ${(output.ms * 1000).toFixed(0)} µs each`;
  document.body.dataset.shown = `points/${count}/${truncation}`;
});

function pointsView() {
  $("point-cloud").hidden = false;
  $("count").oninput = $("points-truncation").oninput = showPoints;
  $("again").onclick = () => { firstPoint = Math.floor(Math.random() * 1e6) + metadata.num_latents; showPoints(); };
  $("points-download").onclick = () => save($("points"), `${metadata.recipe}-points.png`);
  matchMedia("(prefers-color-scheme: dark)").onchange = showPoints;
  return showPoints();
}

// ---- image-to-image translation

let inputImage = null, name = "image";

const translate = coalesced(async () => {
  if (!inputImage) return;
  const graph = metadata.graphs.find((one) => one.name === $("direction").value), [channels, h, w] = graph.input_shape;
  const longest = Number($("side").value) || Math.max(h, w), [maxHeight, maxWidth] = graph.fixed_size ?? [longest, longest];
  const scale = Math.min(maxHeight / inputImage.height, maxWidth / inputImage.width);
  const width = Math.max(1, Math.round(inputImage.width * scale)), height = Math.max(1, Math.round(inputImage.height * scale));
  const before = $("before"), context = before.getContext("2d", { willReadFrequently: true });
  before.width = width; before.height = height;
  context.fillStyle = "#fff"; context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high"; context.drawImage(inputImage, 0, 0, width, height);
  $("both").hidden = false; $("after").classList.add("busy");
  const pixels = context.getImageData(0, 0, width, height).data;
  const pad = (side) => Math.max(Math.ceil(side / graph.multiple) * graph.multiple, graph.min_size);
  const [paddedHeight, paddedWidth] = graph.fixed_size ?? [pad(height), pad(width)];
  const x = new Float32Array(channels * paddedHeight * paddedWidth);
  const mirrored = (i, side) => { const period = Math.max(1, 2 * side - 2); i %= period; return i < side ? i : period - i; };
  for (let r = 0; r < paddedHeight; r++) for (let q = 0; q < paddedWidth; q++) {
    const at = 4 * (mirrored(r, height) * width + mirrored(q, width));
    const grey = 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    for (let c = 0; c < channels; c++) x[(c * paddedHeight + r) * paddedWidth + q] = (channels === 1 ? Math.round(grey) : pixels[at + c]) / 127.5 - 1;
  }
  await serialized(async () => {
    const net = await session(graph.name), start = performance.now();
    const { translated } = await net.run({ image: new ort.Tensor("float32", x, [1, channels, paddedHeight, paddedWidth]) });
    const padded = document.createElement("canvas"), after = $("after");
    paint(padded, translated.data, 0, [graph.output_shape[0], paddedHeight, paddedWidth]);
    after.width = width; after.height = height;
    for (const canvas of [before, after]) canvas.classList.toggle("crisp", Math.max(width, height) <= 128);
    after.getContext("2d").drawImage(padded, 0, 0);
    $("after-caption").textContent = `after · ${width} × ${height} · ${(performance.now() - start).toFixed(0)} ms`;
    document.body.dataset.shown = `${graph.name}/${name}/${width}x${height}`;
  });
  $("after").classList.remove("busy");
});

async function loadImage(file) {
  if (!file?.type.startsWith("image/")) return;
  try { inputImage = await createImageBitmap(file); } catch { return failed(new Error(`${file.name} is not an image that this browser can decode`)); }
  $("status").hidden = true;
  name = file.name.replace(/\.[^.]*$/, "") || "image";
  translate();
}

async function translatorView() {
  $("translator").hidden = false;
  metadata.graphs.forEach((graph) => $("direction").add(new Option(graph.name.replaceAll("-", " "), graph.name)));
  $("side").parentElement.hidden = metadata.graphs.every((graph) => graph.fixed_size);
  $("direction-row").hidden = metadata.graphs.length < 2;
  $("direction").onchange = $("side").onchange = translate;
  $("file").onchange = () => loadImage($("file").files[0]);
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") loadImage(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => loadImage(event.clipboardData.files[0]));
  $("after-download").onclick = () => save($("after"), `${name}-${$("direction").value}.png`);
  await session(metadata.graphs[0].name);
}

// ---- start

async function readFloats(file) { return new Float32Array(await (await fetch(file)).arrayBuffer()); }

try {
  document.title = $("title").textContent = metadata.title;
  $("subtitle").textContent = metadata.subtitle;
  if (metadata.kind !== "translator") [latents, directions] = await Promise.all([readFloats("latents.bin"), readFloats("directions.bin")]);
  await { images: generatorView, points: pointsView, translator: translatorView }[metadata.kind]();
  if (document.body.dataset.state !== "failed") { $("status").hidden = true; document.body.dataset.state = "ready"; }
} catch (error) {
  failed(error);
}
