/** Draws the playground: field, real points, modes, the mapped latent grid, generated points, arrows. Generated points move smoothly between frames. */

const GRID_LINES = 17; // of the latent grid in each direction

/** Red, green and blue of a colour of the style sheet. @param {string} text as in #b8481c */
const rgb = (text) => [1, 3, 5].map((start) => parseInt(text.trim().slice(start, start + 2), 16));

/** @param {HTMLCanvasElement} canvas */
export function createRenderer(canvas) {
  const context = canvas.getContext("2d"), size = canvas.width;
  const background = document.createElement("canvas"), cells = document.createElement("canvas");
  background.width = background.height = size;
  const layers = { field: true, arrows: true, grid: true };
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  let game = null, frame = null, previous = [], current = [], frameTime = 0, interval = 80, scheduled = false, colours = {};

  function readColours() {
    const style = getComputedStyle(canvas);
    colours = Object.fromEntries([["real", "--c0"], ["fake", "--c1"], ["ink", "--ink"], ["soft", "--soft"], ["card", "--card"]].map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]));
    if (colours.card.length === 4) colours.card = "#" + [...colours.card.slice(1)].map((digit) => digit + digit).join("");
  }

  /** From the data's units to pixels. @param {number[]} point */
  const toPixels = ([x, y]) => [((x - game.view_box[0]) / game.view_box[2]) * size, size - ((y - game.view_box[1]) / game.view_box[2]) * size];

  function drawBackground() {
    const pen = background.getContext("2d");
    pen.globalAlpha = 1;
    pen.fillStyle = colours.card;
    pen.fillRect(0, 0, size, size);
    const values = Uint8Array.from(atob(frame.field), (letter) => letter.charCodeAt(0)), side = Math.round(Math.sqrt(values.length));
    if (layers.field) {
      shadeCells(values, side);
      pen.imageSmoothingEnabled = true;
      pen.imageSmoothingQuality = "high";
      pen.drawImage(cells, 0, 0, size, size);
      drawBoundary(pen, values, side);
    }
    pen.fillStyle = colours.real;
    pen.globalAlpha = 0.6;
    for (const point of game.real) dot(pen, toPixels(point), 3);
    pen.globalAlpha = 1;
    game.mode_centres.forEach((centre, mode) => {
      const [x, y] = toPixels(centre), covered = frame.covered_modes?.[mode];
      pen.strokeStyle = covered ? colours.real : colours.soft;
      pen.lineWidth = covered ? 3 : 1.5;
      pen.setLineDash(covered ? [] : [5, 6]);
      pen.beginPath();
      pen.arc(x, y, game.mode_centres.length > 10 ? 26 : 34, 0, 7);
      pen.stroke();
    });
    pen.setLineDash([]);
  }

  /** @param {Uint8Array} values @param {number} side */
  function shadeCells(values, side) {
    cells.width = cells.height = side;
    const image = new ImageData(side, side), real = rgb(colours.real), fake = rgb(colours.fake);
    values.forEach((value, cell) => {
      const certainty = value / 127.5 - 1;
      image.data.set([...(certainty > 0 ? real : fake), 150 * Math.abs(certainty) ** 0.8], 4 * cell);
    });
    cells.getContext("2d").putImageData(image, 0, 0);
  }

  /** The decision boundary, by marching squares. @param {CanvasRenderingContext2D} pen @param {Uint8Array} values @param {number} side */
  function drawBoundary(pen, values, side) {
    const step = size / side, level = 127.5;
    const crossing = (a, b) => (level - a) / (b - a);
    pen.strokeStyle = colours.ink;
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (let row = 0; row + 1 < side; row++) {
      for (let column = 0; column + 1 < side; column++) {
        const k = row * side + column, [a, b, c, d] = [values[k], values[k + 1], values[k + side + 1], values[k + side]];
        const x = (column + 0.5) * step, y = (row + 0.5) * step, ends = [];
        if (a > level !== b > level) ends.push([x + step * crossing(a, b), y]);
        if (b > level !== c > level) ends.push([x + step, y + step * crossing(b, c)]);
        if (c > level !== d > level) ends.push([x + step * crossing(d, c), y + step]);
        if (d > level !== a > level) ends.push([x, y + step * crossing(a, d)]);
        for (let pair = 0; pair + 1 < ends.length; pair += 2) { pen.moveTo(...ends[pair]); pen.lineTo(...ends[pair + 1]); }
      }
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number[]} position @param {number} radius */
  function dot(pen, [x, y], radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
  }

  /** The latent grid: its lines join neighbours in latent space. @param {number[][]} gridPoints */
  function drawGrid(gridPoints) {
    context.strokeStyle = colours.fake;
    context.globalAlpha = 0.42;
    context.lineWidth = 1.2;
    context.beginPath();
    const line = game.config.latent === 1;
    const count = GRID_LINES * GRID_LINES;
    for (let i = 0; i < count; i++) {
      const [x, y] = gridPoints[i];
      const right = (line ? i + 1 < count : i % GRID_LINES < GRID_LINES - 1) && gridPoints[i + 1], below = !line && i + GRID_LINES < count && gridPoints[i + GRID_LINES];
      for (const end of [right, below]) if (end) { context.moveTo(x, y); context.lineTo(end[0], end[1]); }
    }
    context.stroke();
  }

  function draw() {
    scheduled = false;
    if (!frame) return;
    const progress = reducedMotion.matches || !previous.length ? 1 : Math.min(1, (performance.now() - frameTime) / interval);
    const interpolate = (points, before) => points.map(([x, y], i) => (progress === 1 ? [x, y] : [before[i][0] + (x - before[i][0]) * progress, before[i][1] + (y - before[i][1]) * progress]));
    current = [interpolate(frame.fake, previous[0]), interpolate(frame.gridPoints, previous[1]), interpolate(frame.arrowTips, previous[2])];
    context.globalAlpha = 1;
    context.drawImage(background, 0, 0);
    if (layers.grid) drawGrid(current[1]);
    if (layers.arrows) drawArrows(current[0], current[2]);
    context.globalAlpha = 0.9;
    context.fillStyle = colours.fake;
    context.strokeStyle = colours.card;
    context.lineWidth = 1;
    for (const position of current[0]) { dot(context, position, 4.2); context.stroke(); }
    context.globalAlpha = 1;
    if (progress < 1) schedule();
  }

  /** @param {number[][]} starts @param {number[][]} tips */
  function drawArrows(starts, tips) {
    context.strokeStyle = colours.ink;
    context.globalAlpha = 0.55;
    context.lineWidth = 1.6;
    context.beginPath();
    tips.forEach(([x, y], i) => {
      const [a, b] = starts[i], length = Math.hypot(x - a, y - b);
      if (length < 3) return;
      const [u, v] = [((x - a) / length) * 6, ((y - b) / length) * 6];
      context.moveTo(a, b);
      context.lineTo(x, y);
      context.moveTo(x - u - v * 0.6, y - v + u * 0.6);
      context.lineTo(x, y);
      context.lineTo(x - u + v * 0.6, y - v - u * 0.6);
    });
    context.stroke();
  }

  function schedule() {
    if (!scheduled) { scheduled = true; requestAnimationFrame(draw); }
  }

  function redraw() {
    if (!frame) return;
    readColours();
    drawBackground();
    schedule();
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return {
    layers,
    /** Draw again, after a change of `layers`. */
    redraw,
    /** Set what is constant in a game. @param {any} first its first frame */
    setStatic(first) { game = first; previous = []; current = []; },
    /** Show the next frame. @param {any} next */
    setFrame(next) {
      const time = performance.now();
      interval = Math.min(250, Math.max(30, 0.5 * interval + 0.5 * (time - frameTime)));
      previous = current;
      frameTime = time;
      frame = { field: next.field, covered_modes: next.covered_modes, fake: next.fake.map(toPixels), gridPoints: next.latent_grid.map(toPixels), arrowTips: next.arrows.map(toPixels) };
      redraw();
    },
  };
}
