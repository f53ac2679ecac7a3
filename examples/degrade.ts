/**
 * LR pictures as photographs on the web are, for pytorch/train.py's --low: `npx tsx examples/degrade.ts HR LOW
 * [SCALE] [COPIES]`. Each picture of the folder HR becomes NAME~0.png, NAME~1.png, … in the folder LOW. Transparent
 * pictures are put on white. The networks wren-photo have learned from such pictures.
 *
 * Half of them have one kind of damage or two, as a picture that was saved once; the others were blurred, resized,
 * noisy and compressed up to twice. Both are milder than Real-ESRGAN's: a small network that has to expect
 * everything makes little of anything.
 */
import { existsSync, mkdirSync } from "node:fs";
import { basename, join, parse } from "node:path";
import {
  DataError,
  type Degradation,
  degrade,
  drawDegradation,
  type Image,
  type PhotoOptions,
  picturesIn,
  readImage,
  writePng,
} from "../src/data/index.ts"; // in your project: "pixelgrad/data"
import { modcrop, toRgb, withoutAlpha } from "../src/picture/index.ts"; // in your project: "pixelgrad/picture"

const few = [
  { jpeg: [30, 95] },
  { jpeg: [30, 95] },
  { noise: [1, 20] },
  { blur: { sigma: [0.4, 2] } },
  { blur: { sigma: [0.4, 1.6] }, noise: [1, 12], jpeg: [40, 95] },
  { noise: [1, 12], jpeg: [40, 95] },
  { blur: { sigma: [0.4, 1.6] }, jpeg: [40, 95] },
] as const;

const many: Omit<PhotoOptions, "seed"> = {
  kind: "photo",
  stages: [
    // biome-ignore format: a line each for blur, size, noise and JPEG
    {
      blur: 0.5, sigma: [0.2, 1.8], round: 0.8,
      enlarge: 0.1, largest: 1.2, shrink: 0.3, smallest: 0.7,
      noisy: 0.45, noise: [1, 18], shot: [0.05, 1.2], grey: 0.3,
      compressed: 0.6, jpeg: [30, 95],
    },
    // biome-ignore format: a line each for blur, size, noise and JPEG
    {
      blur: 0.15, sigma: [0.2, 0.8], round: 0.8,
      enlarge: 0.1, largest: 1.1, shrink: 0.15, smallest: 0.8,
      noisy: 0.2, noise: [1, 12], shot: [0.05, 0.8], grey: 0.3,
      compressed: 0.7, jpeg: [30, 95],
    },
  ],
  sinc: 0.1,
  clean: 0.05,
};

/** What happens to the picture with this number. */
function draw(index: number, scale: number): Degradation {
  if (index % 2 === 1) return drawDegradation({ ...many, seed: 20 + scale }, index, scale);
  return drawDegradation({ ...few[(index >> 1) % few.length], seed: 7 * scale }, index);
}

const [from, to, ...numbers] = process.argv.slice(2);
const [scale = 2, copies = 8] = numbers.map(Number);
if (to === undefined || numbers.length > 2 || ![scale, copies].every((n) => Number.isInteger(n) && n > 0)) {
  fail("wants HR LOW [SCALE] [COPIES]: two folders, and whole numbers, such as photos low 2 8");
}
try {
  console.log(`${await degradeAll(picturesIn(from).pictures)} pictures are in ${to}.`);
} catch (error) {
  if (!(error instanceof DataError || error instanceof RangeError)) throw error;
  fail(error.message);
}

/** Returns how many LR pictures there are. Those of an earlier run stay. */
async function degradeAll(paths: readonly string[]): Promise<number> {
  mkdirSync(to, { recursive: true });
  const stems = paths.map((path) => parse(path).name);
  let index = 0;
  for (const [i, path] of paths.entries()) {
    // As pytorch/train.py names them: where a.png and a.jpg are there, by the whole name.
    const isUnique = stems.filter((stem) => stem === stems[i]).length === 1;
    const name = isUnique ? stems[i] : basename(path);
    const high = modcrop(toRgb(withoutAlpha(await readImage(path), "white")), scale);
    for (let copy = 0; copy < copies; copy++, index++) {
      const low = join(to, `${name}~${copy}.png`);
      if (existsSync(low)) await checkSize(low, high);
      else await writePng(low, await degrade(high, scale, draw(index, scale)));
    }
  }
  return index;
}

async function checkSize(path: string, high: Image): Promise<void> {
  const { width, height } = await readImage(path);
  if (width * scale === high.width && height * scale === high.height) return;
  throw new DataError(
    `${path} is of another run: it has ${width}x${height} pixels, and ${high.width / scale}x${high.height / scale} ` +
      "are wanted. Name another folder, or remove this one.",
  );
}

function fail(message: string): never {
  console.error(`degrade.ts: ${message}`);
  process.exit(1);
}
