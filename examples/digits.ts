/**
 * Learns to read digits, which it draws itself, in a minute: `npm run digits`. Prints how many of 1000 new ones
 * it reads right; runs/digits.png has 200 of them, sorted by what they were taken for, the errors in red.
 */
import { mkdir } from "node:fs/promises";
import { writePng } from "../src/data/index.ts"; // in your project: "pixelgrad/data"
import * as pg from "../src/node.ts"; // in your project: "pixelgrad"

const steps = Number(process.argv[2] ?? 300);
if (!(steps >= 1 && Number.isInteger(steps))) {
  console.error(`npm run digits -- STEPS wants a whole number of at least 1, got "${process.argv[2]}"`);
  process.exit(2);
}

const [side, area] = [20, 400];
/** Each digit as five rows of three pixels: the bits of an octal number, 0 to 7. */
const glyphs = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71122", "75757", "75717"];

function draw(count: number, random: pg.Random) {
  const labels = Array.from({ length: count }, () => random.int(10));
  const pixels = labels.flatMap((label) => {
    const [angle, size] = [0.6 * random.uniform() - 0.3, 2.4 + random.uniform()];
    const [top, left] = [8 + 4 * random.uniform(), 8 + 4 * random.uniform()];
    return Array.from({ length: area }, (_, i) => {
      const [y, x] = [Math.floor(i / side) - top, (i % side) - left];
      const row = Math.floor((y * Math.cos(angle) - x * Math.sin(angle)) / size + 2.5);
      const column = Math.floor((x * Math.cos(angle) + y * Math.sin(angle)) / size + 1.5);
      const ink = Math.floor(Number(glyphs[label][row] ?? 0) / 2 ** (2 - column)) % 2; // beyond the glyph, 0
      return ink + 0.4 * random.normal();
    });
  });
  return { x: pg.tensor(pixels, [count, 1, side, side]), target: pg.tensor(labels), pixels, labels };
}

await pg.init();
const conv = (i: number, o: number) => new pg.Conv2d(i, o, 3, { padding: 1, bias: false });
const after = (channels: number) => [new pg.BatchNorm2d(channels), new pg.ReLU(), new pg.MaxPool2d(2)];
const classify = [new pg.Flatten(), new pg.Dropout(0.2), new pg.Linear(32 * 5 * 5, 10)];
const model = new pg.Sequential(conv(1, 16), ...after(16), conv(16, 32), ...after(32), ...classify);
const optimizer = new pg.AdamW(model.parameters(), { lr: 3e-3 });
const step = pg.capture((x, target) => {
  const loss = pg.crossEntropy(model.forward(x), target);
  optimizer.step(pg.backward(loss));
  return loss;
});
for (let i = 1; i <= steps; i++) {
  using _ = pg.scope();
  const { x, target } = draw(64, new pg.Random(i));
  const loss = step(x, target);
  if (i % 50 === 0) console.log(`step ${i}: loss ${(await loss.item()).toFixed(3)}`);
}

const test = draw(1000, new pg.Random(0));
const read = await pg.noGrad(() => pg.argmax(model.eval().forward(test.x), 1)).data();
const right = test.labels.filter((label, i) => label === read[i]).length;
console.log(`${right / 10} % of 1000 new digits, after ${(performance.now() / 1000).toFixed(1)} s`);
const shown = [...test.labels.keys()].slice(0, 200).sort((a, b) => read[a] - read[b]);
const data = Uint8Array.from({ length: 3 * 200 * area }, (_, k) => {
  const [row, column] = [Math.floor(k / (3 * 20 * side)), Math.floor(k / 3) % (20 * side)];
  const i = shown[Math.floor(row / side) * 20 + Math.floor(column / side)];
  const value = test.pixels[i * area + (row % side) * side + (column % side)];
  return k % 3 === 0 && read[i] !== test.labels[i] ? 255 : 255 * Math.min(Math.max(value, 0), 1);
});
await mkdir("runs", { recursive: true });
await writePng("runs/digits.png", { width: 20 * side, height: 10 * side, channels: 3, data });
