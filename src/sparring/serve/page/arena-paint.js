/** Draws the game: field, real points, modes, the bent net of noise, made points, arrows. Made points glide from frame to frame. */

const NET = 17; // lines of the net each way

/** Numbers of a colour of the style sheet. @param {string} text as in #b8481c */
const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.trim().slice(at, at + 2), 16));

/** @param {HTMLCanvasElement} canvas */
export function painter(canvas) {
  const pen = canvas.getContext("2d"), size = canvas.width;
  const ground = document.createElement("canvas"), cells = document.createElement("canvas");
  ground.width = ground.height = size;
  const shown = { field: true, arrows: true, net: true };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let still = null, now = null, from = [], places = [], since = 0, last = 0, gap = 80, moving = false, colours = {};

  function look() {
    const style = getComputedStyle(canvas);
    colours = Object.fromEntries([["real", "--c0"], ["made", "--c1"], ["ink", "--ink"], ["soft", "--soft"], ["card", "--card"]].map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]));
    if (colours.card.length === 4) colours.card = "#" + [...colours.card.slice(1)].map((digit) => digit + digit).join("");
  }

  /** From the data's units to pixels. @param {number[]} point */
  const at = ([x, y]) => [((x - still.view[0]) / still.view[2]) * size, size - ((y - still.view[1]) / still.view[2]) * size];

  function backdrop() {
    const low = ground.getContext("2d");
    low.globalAlpha = 1;
    low.fillStyle = colours.card;
    low.fillRect(0, 0, size, size);
    const values = Uint8Array.from(atob(now.field), (letter) => letter.charCodeAt(0)), side = Math.round(Math.sqrt(values.length));
    if (shown.field) {
      shade(values, side);
      low.imageSmoothingEnabled = true;
      low.imageSmoothingQuality = "high";
      low.drawImage(cells, 0, 0, size, size);
      doubt(low, values, side);
    }
    low.fillStyle = colours.real;
    low.globalAlpha = 0.6;
    for (const point of still.real) dot(low, at(point), 3);
    low.globalAlpha = 1;
    still.centres.forEach((centre, number) => {
      const [x, y] = at(centre), held = now.holding?.[number];
      low.strokeStyle = held ? colours.real : colours.soft;
      low.lineWidth = held ? 3 : 1.5;
      low.setLineDash(held ? [] : [5, 6]);
      low.beginPath();
      low.arc(x, y, still.centres.length > 10 ? 26 : 34, 0, 7);
      low.stroke();
    });
    low.setLineDash([]);
  }

  /** @param {Uint8Array} values @param {number} side */
  function shade(values, side) {
    cells.width = cells.height = side;
    const image = new ImageData(side, side), real = rgb(colours.real), made = rgb(colours.made);
    values.forEach((value, number) => {
      const share = value / 127.5 - 1;
      image.data.set([...(share > 0 ? real : made), 150 * Math.abs(share) ** 0.8], 4 * number);
    });
    cells.getContext("2d").putImageData(image, 0, 0);
  }

  /** The line along which the judge can't tell, by marching squares. @param {CanvasRenderingContext2D} low @param {Uint8Array} values @param {number} side */
  function doubt(low, values, side) {
    const step = size / side, edge = 127.5;
    const between = (a, b) => (edge - a) / (b - a);
    low.strokeStyle = colours.ink;
    low.globalAlpha = 0.35;
    low.lineWidth = 1.5;
    low.beginPath();
    for (let row = 0; row + 1 < side; row++) {
      for (let column = 0; column + 1 < side; column++) {
        const k = row * side + column, [a, b, c, d] = [values[k], values[k + 1], values[k + side + 1], values[k + side]];
        const x = (column + 0.5) * step, y = (row + 0.5) * step, ends = [];
        if (a > edge !== b > edge) ends.push([x + step * between(a, b), y]);
        if (b > edge !== c > edge) ends.push([x + step, y + step * between(b, c)]);
        if (c > edge !== d > edge) ends.push([x + step * between(d, c), y + step]);
        if (d > edge !== a > edge) ends.push([x, y + step * between(a, d)]);
        for (let pair = 0; pair + 1 < ends.length; pair += 2) { low.moveTo(...ends[pair]); low.lineTo(...ends[pair + 1]); }
      }
    }
    low.stroke();
    low.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} on @param {number[]} place @param {number} radius */
  function dot(on, [x, y], radius) {
    on.beginPath();
    on.arc(x, y, radius, 0, 7);
    on.fill();
  }

  /** The net: its lines join neighbours in the noise. @param {number[][]} knots */
  function net(knots) {
    pen.strokeStyle = colours.made;
    pen.globalAlpha = 0.42;
    pen.lineWidth = 1.2;
    pen.beginPath();
    const line = still.rules.latent === 1;
    for (let i = 0; i < NET * NET; i++) {
      const [x, y] = knots[i];
      const right = line ? i + 1 < NET * NET && knots[i + 1] : i % NET < NET - 1 && knots[i + 1], below = !line && i + NET < NET * NET && knots[i + NET];
      for (const end of [right, below]) if (end) { pen.moveTo(x, y); pen.lineTo(end[0], end[1]); }
    }
    pen.stroke();
  }

  function draw() {
    moving = false;
    if (!now) return;
    const share = calm.matches || !from.length ? 1 : Math.min(1, (performance.now() - since) / gap);
    const glide = (list, before) => list.map(([x, y], i) => (share === 1 ? [x, y] : [before[i][0] + (x - before[i][0]) * share, before[i][1] + (y - before[i][1]) * share]));
    places = [glide(now.made, from[0]), glide(now.knots, from[1]), glide(now.ends, from[2])];
    pen.globalAlpha = 1;
    pen.drawImage(ground, 0, 0);
    if (shown.net) net(places[1]);
    if (shown.arrows) ways(places[0], places[2]);
    pen.globalAlpha = 0.9;
    pen.fillStyle = colours.made;
    pen.strokeStyle = colours.card;
    pen.lineWidth = 1;
    for (const place of places[0]) { dot(pen, place, 4.2); pen.stroke(); }
    pen.globalAlpha = 1;
    if (share < 1) again();
  }

  /** @param {number[][]} starts @param {number[][]} ends */
  function ways(starts, ends) {
    pen.strokeStyle = colours.ink;
    pen.globalAlpha = 0.55;
    pen.lineWidth = 1.6;
    pen.beginPath();
    ends.forEach(([x, y], i) => {
      const [a, b] = starts[i], length = Math.hypot(x - a, y - b);
      if (length < 3) return;
      const [u, v] = [((x - a) / length) * 6, ((y - b) / length) * 6];
      pen.moveTo(a, b);
      pen.lineTo(x, y);
      pen.moveTo(x - u - v * 0.6, y - v + u * 0.6);
      pen.lineTo(x, y);
      pen.lineTo(x - u + v * 0.6, y - v - u * 0.6);
    });
    pen.stroke();
  }

  function again() {
    if (!moving) { moving = true; requestAnimationFrame(draw); }
  }

  function anew() {
    if (!now) return;
    look();
    backdrop();
    again();
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
  return {
    shown,
    /** Draw again, after a change of what is shown. */
    again: anew,
    /** What stays as it is in a game. @param {any} found */
    still(found) { still = found; from = []; places = []; },
    /** The next frame. @param {any} found */
    frame(found) {
      const time = performance.now();
      gap = Math.min(250, Math.max(30, 0.5 * gap + 0.5 * (time - last)));
      from = places;
      since = last = time;
      now = { field: found.field, holding: found.holding, made: found.points.map(at), knots: found.net.map(at), ends: found.arrows.map(at) };
      look();
      backdrop();
      again();
    },
  };
}
