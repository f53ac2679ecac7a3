/**
 * Draws the figures of the course (docs/course/figures): `npm run docs:figures`. They are SVG, for light and dark
 * pages alike. What they show is computed here, or is what the chapters' programs print.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const style = `
text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1d2329 }
.small { font-size: 13px } .bold { font-weight: 650 } .mono { font-family: ui-monospace, Menlo, Consolas, monospace }
.quiet { fill: #5c6670 } .back { fill: #b04a2f } .on { fill: #ffffff }
.line { stroke: #7b858f; fill: none; stroke-width: 1.5 } .backline { stroke: #b04a2f; fill: none; stroke-width: 2 }
.forward { stroke: #2f6f8f; fill: none; stroke-width: 2 }
.box { fill: #f5f6f7; stroke: #7b858f; stroke-width: 1.2 } .a { fill: #cfe3ee } .b { fill: #f6d9b8 } .c { fill: #cfe8d8 }
.d { fill: #eed3ea } .cell { stroke: #7b858f; stroke-width: 1 } .idle { fill: none; stroke-dasharray: 3 2 }
.hot { fill: #f2b8a4 } .none { fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #dde3e8 } .quiet { fill: #97a2ad } .back { fill: #e38c6e } .on { fill: #14181c }
  .line { stroke: #7b858f } .backline { stroke: #e38c6e } .forward { stroke: #7cb8de }
  .box { fill: #1c2227 } .a { fill: #23475a } .b { fill: #5a4021 } .c { fill: #21503a } .d { fill: #523051 }
  .hot { fill: #7a3a28 }
}`;

/** A drawing: shapes are appended to it. */
class Figure {
  readonly parts: string[] = [];

  text(
    x: number,
    y: number,
    text: string | number,
    css = "",
    anchor: "start" | "middle" | "end" = "middle",
  ): void {
    const content = String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    this.parts.push(
      `<text x="${r(x)}" y="${r(y)}" text-anchor="${anchor}"${css && ` class="${css}"`}>${content}</text>`,
    );
  }

  box(x: number, y: number, width: number, height: number, css = "box", round = 6): void {
    this.parts.push(
      `<rect class="${css}" x="${r(x)}" y="${r(y)}" width="${r(width)}" height="${r(height)}" rx="${round}"/>`,
    );
  }

  /** A box with lines of text in its middle. */
  labeled(x: number, y: number, width: number, height: number, lines: readonly string[], css = "box"): void {
    this.box(x, y, width, height, css);
    lines.forEach((line, i) => {
      this.text(
        x + width / 2,
        y + height / 2 + 5 + (i - (lines.length - 1) / 2) * 19,
        line,
        i > 0 ? "small quiet" : "",
      );
    });
  }

  /** A grid of square cells; `css` and `label` say how each looks. */
  grid(
    x: number,
    y: number,
    rows: number,
    columns: number,
    size: number,
    css: (row: number, column: number) => string,
    label: (row: number, column: number) => string | number = () => "",
  ): void {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [left, top] = [x + column * size, y + row * size];
        this.box(left, top, size, size, `cell ${css(row, column)}`, 0);
        const text = label(row, column);
        if (text !== "") this.text(left + size / 2, top + size / 2 + 5, text, size < 30 ? "small" : "");
      }
    }
  }

  arrow(x1: number, y1: number, x2: number, y2: number, css = "line"): void {
    const angle = Math.atan2(y2 - y1, x2 - x1);
    const tip = [-2.6, 2.6].map(
      (turn) => `${r(x2 + 9 * Math.cos(angle + turn))} ${r(y2 + 9 * Math.sin(angle + turn))}`,
    );
    this.parts.push(
      `<path class="${css}" d="M${r(x1)} ${r(y1)}L${r(x2)} ${r(y2)}M${tip[0]}L${r(x2)} ${r(y2)}L${tip[1]}"/>`,
    );
  }

  path(points: readonly (readonly [number, number])[], css: string): void {
    this.parts.push(`<path class="${css}" d="M${points.map(([x, y]) => `${r(x)} ${r(y)}`).join("L")}"/>`);
  }

  svg(width: number, height: number, title: string): string {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" role="img">` +
      `<title>${title}</title>\n<style>${style}\n</style>\n${this.parts.join("\n")}\n</svg>\n`
    );
  }
}

const r = (value: number) => Math.round(value * 10) / 10;

function tape(): string {
  const f = new Figure();
  const node = (x: number, y: number, label: string, value: string, grad = "") => {
    f.box(x - 34, y - 22, 68, 44, "box", 22);
    f.text(x, y + 5, label, "bold");
    f.text(x, y - 30, value);
    if (grad) f.text(x, y + 40, grad, "back");
  };
  const [w, x, b, y] = [70, 70, 240, 400];
  const edges = [
    [w, 70, 240, 100],
    [x, 210, 240, 180],
  ];
  for (const [x1, y1, x2, y2] of edges)
    f.arrow(x1 + 36, y1 + (y2 > y1 ? 8 : -8), x2 - 34, y2 + (y2 > y1 ? 30 : -30), "line");
  f.arrow(276, 140, 364, 140);
  f.arrow(276, 262, 372, 164);
  f.arrow(436, 140, 524, 140);
  f.arrow(436, 262, 532, 164);
  f.arrow(596, 140, 654, 140);
  node(w, 70, "w", "0.5", "-9");
  node(x, 210, "x", "3");
  node(240, 140, "×", "1.5", "-3");
  node(b, 270, "b", "1", "-3");
  node(400, 140, "+", "2.5", "-3");
  node(y, 270, "-y", "-4");
  node(560, 140, "+", "-1.5", "-3");
  node(690, 140, "square", "2.25", "1");
  f.arrow(180, 330, 560, 330, "forward");
  f.text(170, 335, "values: forward", "", "end");
  f.arrow(560, 352, 180, 352, "backline");
  f.text(570, 357, "gradients: backward", "back", "start");
  return f.svg(
    760,
    372,
    "The computation of an error as a graph, with the value and the gradient of every number",
  );
}

function tensors(): string {
  const f = new Figure();
  const values = [1, 2, 3, 0, -1, 1, 2, 0, 1, -1, 1, 0];
  const colors = ["a", "b", "c", "d"];
  f.text(150, 24, "x, shape [4, 3]", "bold");
  f.grid(
    90,
    58,
    4,
    3,
    40,
    (row) => colors[row],
    (row, column) => values[row * 3 + column],
  );
  for (let k = 0; k < 3; k++) f.text(110 + k * 40, 50, k, "small quiet");
  for (let i = 0; i < 4; i++) f.text(76, 83 + i * 40, i, "small quiet");
  f.box(130, 138, 40, 40, "backline", 0);
  f.text(330, 120, "row 2, column 1", "back", "start");
  f.text(330, 142, "is number 2 * 3 + 1 = 7", "back", "start");
  f.arrow(322, 130, 176, 156, "backline");
  f.text(60, 262, "in memory", "bold", "start");
  f.grid(
    60,
    276,
    1,
    12,
    48,
    (_, i) => colors[Math.floor(i / 3)],
    (_, i) => values[i],
  );
  for (let i = 0; i < 12; i++) f.text(84 + i * 48, 342, i, "small quiet");
  f.box(60 + 7 * 48, 276, 48, 48, "backline", 0);
  f.arrow(408, 152, 420, 268, "backline");
  return f.svg(700, 356, "A tensor of four rows in three columns, and the same numbers in a row in memory");
}

function firstKernel(): string {
  const f = new Figure();
  f.text(30, 26, "1000 numbers, 16 workgroups of 64 threads", "bold", "start");
  const width = 42;
  for (let group = 0; group < 16; group++) {
    f.box(30 + group * width, 42, width, 40, `cell ${group === 15 ? "b" : "a"}`, 0);
    f.text(30 + group * width + width / 2, 67, group, "small");
  }
  f.path(
    [
      [30 + 15 * width, 82],
      [30, 130],
    ],
    "line",
  );
  f.path(
    [
      [30 + 16 * width, 82],
      [702, 130],
    ],
    "line",
  );
  f.text(702, 122, "the last workgroup: threads 960 to 1023", "", "end");
  f.grid(30, 132, 2, 32, 21, (row, column) => (row * 32 + column < 40 ? "b" : "idle"));
  f.text(30, 200, "960", "small quiet", "start");
  f.text(702, 200, "1023", "small quiet", "end");
  f.text(
    366,
    226,
    "40 threads have a number to square; for the other 24, id.x is past the end, and they do nothing",
  );
  return f.svg(732, 244, "Sixteen workgroups; of the last one's 64 threads, 24 have no number");
}

function sums(): string {
  const f = new Figure();
  const rounds = [[3, 1, 4, 1, 5, 9, 2, 6]];
  while (rounds.at(-1)!.length > 1) {
    const last = rounds.at(-1)!;
    rounds.push(last.slice(0, last.length / 2).map((value, i) => value + last[i + last.length / 2]));
  }
  const at = (lane: number) => 150 + lane * 72;
  for (let lane = 0; lane < 8; lane++) f.text(at(lane), 22, `thread ${lane}`, "small quiet");
  rounds.forEach((totals, round) => {
    const y = 54 + round * 92;
    f.text(20, y + 5, round === 0 ? "totals" : `round ${round}`, "bold", "start");
    totals.forEach((total, lane) => {
      if (round > 0) {
        f.arrow(at(lane), y - 72, at(lane), y - 22);
        f.arrow(at(lane + totals.length), y - 72, at(lane) + 22, y - 18, "forward");
      }
      f.box(at(lane) - 20, y - 19, 40, 38, `cell ${round === 0 ? "a" : round === 3 ? "hot" : "c"}`);
      f.text(at(lane), y + 5, total);
    });
    if (round < 3) {
      f.parts.push(`<path class="line" stroke-dasharray="5 4" d="M110 ${y + 28}H690"/>`);
      f.text(700, y + 33, "barrier", "small quiet", "start");
    }
  });
  return f.svg(770, 360, "Eight totals are added in three rounds, with a barrier before each");
}

function convolution(): string {
  const f = new Figure();
  const weights = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
  const pixel = (row: number, column: number) => (row >= 2 && row < 5 && column >= 3 ? 1 : 0);
  f.text(135, 26, "x: the picture", "bold");
  f.grid(30, 42, 6, 6, 35, (row, column) => (pixel(row, column) ? "b" : "none"), pixel);
  f.box(30 + 35, 42 + 35, 105, 105, "forward", 0);
  f.text(350, 26, "w: the window", "bold");
  f.grid(
    297,
    92,
    3,
    3,
    35,
    () => "a",
    (row, column) => weights[row * 3 + column],
  );
  f.text(590, 26, "y", "bold");
  const output = (row: number, column: number) =>
    weights.reduce((sum, weight, k) => {
      const [i, j] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
      return sum + weight * (i < 0 || j < 0 || i > 5 || j > 5 ? 0 : pixel(i, j));
    }, 0);
  f.grid(
    485,
    42,
    6,
    6,
    35,
    (row, column) => (row === 2 && column === 2 ? "hot" : "none"),
    (row, column) => (row === 2 && column === 2 ? output(2, 2) : ""),
  );
  f.arrow(246, 144, 290, 144, "forward");
  f.arrow(408, 144, 478, 144, "forward");
  f.text(
    350,
    290,
    `0·(-1) + 0·0 + 0·1   +   0·(-2) + 0·0 + 1·2   +   0·(-1) + 0·0 + 1·1   =   ${output(2, 2)}`,
  );
  return f.svg(730, 308, "A window of weights over a picture, and the one output pixel that comes of it");
}

function gradients(): string {
  const f = new Figure();
  const panel = (
    x: number,
    title: string,
    formula: string,
    from: [string, string],
    to: string,
    css: string,
    notes: string[],
  ) => {
    f.box(x, 10, 226, 246, "box", 10);
    f.text(x + 113, 38, title, "bold");
    f.labeled(x + 22, 58, 80, 44, [from[0]], from[0] === "dy" ? "cell hot" : "cell a");
    f.labeled(x + 124, 58, 80, 44, [from[1]], "cell b");
    f.arrow(x + 62, 104, x + 98, 136, css);
    f.arrow(x + 164, 104, x + 128, 136, css);
    f.labeled(x + 73, 138, 80, 44, [to], to === "y" ? "cell c" : "cell hot");
    f.text(x + 113, 208, formula, css === "backline" ? "back mono" : "mono");
    notes.forEach((note, i) => {
      f.text(x + 113, 230 + i * 18, note, "small quiet");
    });
  };
  panel(10, "forward", "y += x * w", ["x", "w"], "y", "forward", ["one thread per output pixel"]);
  panel(250, "for the layer before", "dx += dy * w", ["dy", "w"], "dx", "backline", [
    "one thread per input pixel",
  ]);
  panel(490, "for the weights", "dw += dy * x", ["dy", "x"], "dw", "backline", [
    "few results, very long sums",
  ]);
  return f.svg(726, 268, "The same products are collected in y, in dx and in dw");
}

function blocks(): string {
  const f = new Figure();
  f.text(400, 24, "4 pixels of a row, loaded once", "bold");
  f.grid(
    310,
    38,
    1,
    4,
    46,
    () => "a",
    (_, i) => `x${i}`,
  );
  f.text(84, 196, "weights of", "bold");
  f.text(84, 216, "4 channels,", "bold");
  f.text(84, 236, "loaded once", "bold");
  f.grid(
    190,
    116,
    4,
    1,
    46,
    () => "b",
    (i) => `w${i}`,
  );
  f.grid(
    310,
    116,
    4,
    4,
    46,
    () => "c",
    (i, k) => `w${i}·x${k}`.replace("·", ""),
  );
  for (let i = 0; i < 4; i++) {
    f.arrow(333 + i * 46, 88, 333 + i * 46, 110);
    f.arrow(242, 139 + i * 46, 302, 139 + i * 46);
  }
  f.text(518, 186, "16 sums, in registers", "bold", "start");
  f.text(518, 210, "8 loads,", "", "start");
  f.text(518, 232, "16 multiply-adds", "", "start");
  return f.svg(730, 316, "Four pixels and four weights feed sixteen multiply-adds");
}

function tiles(): string {
  const f = new Figure();
  const level = (x: number, title: string, lines: string[], css: string) => {
    f.box(x, 50, 180, 190, `cell ${css}`, 10);
    f.text(x + 90, 80, title, "bold");
    lines.forEach((line, i) => {
      f.text(x + 90, 108 + i * 21, line, "small");
    });
  };
  level(
    10,
    "memory",
    ["the whole picture,", "all weights", "", "far away, slow:", "hundreds of cycles"],
    "b",
  );
  level(
    280,
    "workgroup memory",
    ["18 x 18 pixels,", "16 x 9 weights", "", "for 128 threads;", "tens of cycles"],
    "c",
  );
  level(
    550,
    "registers",
    ["6 pixels, 1 weight,", "8 x 4 sums", "", "of each thread;", "no wait at all"],
    "a",
  );
  f.arrow(194, 145, 274, 145, "forward");
  f.arrow(464, 145, 544, 145, "forward");
  f.text(235, 20, "each value serves", "small");
  f.text(235, 38, "79 multiply-adds", "small bold");
  f.text(505, 20, "each read serves", "small");
  f.text(505, 38, "3.2 multiply-adds", "small bold");
  f.path(
    [
      [235, 46],
      [235, 136],
    ],
    "line",
  );
  f.path(
    [
      [505, 46],
      [505, 136],
    ],
    "line",
  );
  f.text(370, 266, "every round: copy one input channel - barrier - multiply and add - barrier", "quiet");
  return f.svg(740, 280, "Three kinds of memory, and how often a value of each is used");
}

/** The two ways of the chapter's program, over the contours of its loss. */
function adam(): string {
  const f = new Figure();
  const steepness = [100, 1];
  const x = (value: number) => 380 + value * 300;
  const y = (value: number) => 390 - value * 27;
  for (const loss of [2, 8, 18, 32, 50]) {
    const half = Array.from({ length: 91 }, (_, i): [number, number] => {
      const angle = (i / 90) * Math.PI;
      return [
        x(Math.sqrt((2 * loss) / steepness[0]) * Math.cos(angle)),
        y(Math.sqrt((2 * loss) / steepness[1]) * Math.sin(angle)),
      ];
    });
    f.path(half, "line");
  }
  const walk = (next: (at: number[], t: number) => void) => {
    const at = [1, 10];
    const way: [number, number][] = [[x(at[0]), y(at[1])]];
    for (let t = 1; t <= 60; t++) {
      next(at, t);
      way.push([x(at[0]), y(at[1])]);
    }
    return way;
  };
  const descent = walk((at) => {
    for (const i of [0, 1]) at[i] -= 0.015 * steepness[i] * at[i];
  });
  const [m, v] = [
    [0, 0],
    [0, 0],
  ];
  const adamWay = walk((at, t) => {
    for (const i of [0, 1]) {
      const g = steepness[i] * at[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      at[i] -= (0.2 * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    }
  });
  for (const [way, css, fill] of [
    [descent, "forward", ""],
    [adamWay, "backline", "back"],
  ] as const) {
    f.path(way, css);
    for (const [px, py] of way)
      f.parts.push(`<circle cx="${r(px)}" cy="${r(py)}" r="3" class="${fill || "quiet"}"/>`);
  }
  f.text(x(1) + 12, y(10) + 5, "start", "bold", "start");
  f.text(20, 24, "60 steps each, from the same place", "bold", "start");
  f.arrow(20, 48, 56, 48, "forward");
  f.text(66, 53, "descent: across in few steps, then it creeps", "", "start");
  f.arrow(20, 74, 56, 74, "backline");
  f.text(
    66,
    79,
    "Adam: 0.2 in both directions at first, less as gradients shrink or change sign",
    "back",
    "start",
  );
  f.text(x(0), y(0) + 26, "the lowest place", "quiet");
  f.parts.push(`<circle cx="${x(0)}" cy="${y(0)}" r="5" class="quiet"/>`);
  return f.svg(740, 426, "Contours of a long valley, and the ways of descent and Adam");
}

function trainingStep(): string {
  const f = new Figure();
  const left = (i: number) => 140 + i * 122;
  f.labeled(10, 90, 100, 56, ["low", "[8, 1, 16, 16]"], "box");
  const layers = [["conv 1→16", "relu"], ["conv 16→16", "relu"], ["conv 16→4"], ["shuffle", "4 → 2 x 2"]];
  layers.forEach((lines, i) => {
    f.labeled(left(i), 90, 98, 56, lines, "cell a");
    f.arrow(left(i) - (i === 0 ? 28 : 22), 110, left(i) - 3, 110, "forward");
    if (i > 0) f.arrow(left(i) - 3, 128, left(i) - 21, 128, "backline");
  });
  f.labeled(left(0), 16, 220, 36, ["bicubic interpolation"], "box");
  f.path(
    [
      [60, 90],
      [60, 34],
    ],
    "forward",
  );
  f.arrow(60, 34, left(0) - 4, 34, "forward");
  f.box(644, 98, 40, 40, "cell c", 20);
  f.text(664, 124, "+", "bold");
  f.arrow(left(3) + 100, 110, 642, 110, "forward");
  f.arrow(642, 128, left(3) + 102, 128, "backline");
  f.path(
    [
      [left(0) + 220, 34],
      [664, 34],
    ],
    "forward",
  );
  f.arrow(664, 34, 664, 94, "forward");
  f.labeled(574, 196, 160, 56, ["mean of (y - high)²", "the loss"], "cell c");
  f.arrow(656, 140, 656, 192, "forward");
  f.arrow(672, 192, 672, 142, "backline");
  f.labeled(440, 196, 100, 56, ["high", "[8, 1, 32, 32]"], "box");
  f.arrow(542, 224, 570, 224, "forward");
  for (const i of [0, 1, 2]) {
    f.arrow(left(i) + 20, 148, left(i) + 20, 192, "backline");
    f.text(left(i) + 28, 176, "dw", "back small", "start");
  }
  f.labeled(left(0), 196, 276, 56, ["Adam", "one launch for all weights"], "cell hot");
  f.arrow(20, 290, 60, 290, "forward");
  f.text(68, 295, "forward", "", "start");
  f.arrow(180, 290, 140, 290, "backline");
  f.text(188, 295, "backward: dx from layer to layer, dw to the optimizer", "back", "start");
  return f.svg(750, 306, "One training step, forward and backward");
}

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../docs/course/figures");

/** Every figure's text, by the name of its file. */
export const figures: Readonly<Record<string, string>> = {
  "01-tape.svg": tape(),
  "02-tensors.svg": tensors(),
  "03-first-kernel.svg": firstKernel(),
  "04-sums.svg": sums(),
  "05-convolution.svg": convolution(),
  "06-gradients.svg": gradients(),
  "07-blocks.svg": blocks(),
  "08-tiles.svg": tiles(),
  "09-adam.svg": adam(),
  "10-training-step.svg": trainingStep(),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(figures)) writeFileSync(join(folder, name), svg);
  console.log(`docs/course/figures: ${Object.keys(figures).length} figures.`);
}
