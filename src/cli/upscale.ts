/** `pixelgrad upscale`: what most people come for. */
import { DataError } from "../data/errors.ts";
import { outputFormats } from "../data/picture-file.ts";
import { pretrainedNames } from "../models/pretrained-files.ts";
import { alphaChoices } from "../upscale/alpha.ts";
import { interpolations } from "../upscale/interpolator.ts";
import { defineCommand, oneOf, text, UsageError, type Values, whole } from "./flags.ts";
import { adapterFlag } from "./methods.ts";
import { checkFolderOf } from "./results.ts";

const flags = {
  input: {
    short: "i",
    value: "PATH",
    help: "a picture (PNG, JPEG, WebP), a folder of them, or - for video on standard input",
    read: text,
    required: true,
  },
  output: {
    short: "o",
    value: "PATH",
    help: "the picture to write, a folder for them (with a folder as input, or if it exists), or - for standard output",
    read: text,
    required: true,
  },
  scale: {
    short: "s",
    value: "S",
    help: "enlargement of each side: 2, 3, 4 or 8; by default 2, or what the weights are for",
    read: (given: string) => Number(oneOf("2", "3", "4", "8")(given)),
  },
  method: {
    short: "m",
    value: "M",
    help: `${[...pretrainedNames, ...interpolations].join(", ")}, or a weight file (safetensors); by default edsr-small`,
    read: text,
  },
  ensemble: {
    short: "x",
    help: "averages the answers to the picture's eight flips and turns: a little better, eight times the work",
  },
  adapter: { ...adapterFlag, short: "g" },
  format: {
    short: "f",
    value: "F",
    help: "png, jpeg or webp; by default what the output's name says, else png",
    read: oneOf(...outputFormats),
  },
  quality: {
    value: "Q",
    help: "of JPEG and WebP, 1 to 100; by default 95; WebP of 100 is lossless",
    read: (given: string) => {
      const quality = whole(1)(given);
      if (quality > 100) throw new UsageError("wants a whole number from 1 to 100");
      return quality;
    },
  },
  depth: {
    value: "BITS",
    help: "8 or 16 bits per sample (16: PNG only); by default as the input",
    read: (given: string) => Number(oneOf("8", "16")(given)) as 8 | 16,
  },
  alpha: {
    value: "A",
    help: "transparency: keep it, drop it (all becomes opaque), or put the picture on white or black; by default keep, of JPEG white",
    read: oneOf(...alphaChoices),
  },
  tile: {
    short: "t",
    value: "N",
    help: "side of the tiles in pixels of the input; by default as large as memory allows. The result is the same",
    read: whole(1),
  },
  "max-memory": {
    value: "SIZE",
    help: "most memory that the program may take, as 512M or 2G; by default about 1G and the picture",
    read: bytes,
  },
  overwrite: {
    help: "replaces files that exist; without it they are left alone, so that a broken-off folder goes on",
  },
  json: { value: "FILE", help: "writes what was done there, picture by picture", read: text },
} as const;

export type UpscaleFlags = Values<typeof flags>;

export const upscaleCommand = defineCommand(
  {
    name: "upscale",
    summary: "enlarges a picture, a folder of pictures, or video in a pipe",
    about: `
Any size works: large pictures are computed in tiles, with the same result. Colour profiles and
16 bits are kept, a camera's orientation is applied, and transparent edges get no seams.

Networks come as weight files, which "npm run train:…" and saveWeights() write; a file knows its
scale. Without one, the network edsr-small, which comes along, enlarges by 2, 3 or 4, and bicubic
interpolation by 8. Without a GPU, a network takes seconds for each megapixel; espcn is the fastest.

Files are written whole or not at all. A picture that cannot be read or written is told of, and the
rest of the folder is done; the exit code is then 1. Ctrl-C stops between two tiles and leaves no
half files; the same command again goes on where it was.

Video is read as y4m (YUV4MPEG2: 4:2:0, 4:2:2, 4:4:4 or grey, 8 to 16 bits) and written as such. Brightness
is enlarged by the method, colour by bicubic interpolation.`,
    flags,
    examples: [
      ["upscale -i photo.jpg -o large.png", "twice as wide and high, by the network that comes along"],
      ["upscale -i photo.jpg -o large.png -m bicubic -s 8", "by an interpolation"],
      ["upscale -i photo.jpg -o large.png -m edsr-x4.safetensors", "by a network, here fourfold"],
      ["upscale -i scans -o large -s 3 -f webp --quality 90", "all pictures of a folder, into another one"],
      ["upscale -i huge.png -o larger.png --max-memory 512M", "with little memory"],
      [
        "upscale -i - -o - -m espcn-x2.safetensors < in.y4m > out.y4m",
        "video; with ffmpeg around it:\n" +
          "      ffmpeg -i in.mp4 -f yuv4mpegpipe - | pixelgrad upscale -i - -o - | ffmpeg -i - out.mp4",
      ],
    ],
  },
  async (values, context) => {
    const { input, output, json } = values;
    if (json !== undefined) checkFolderOf(json);
    if ((input === "-") !== (output === "-")) {
      throw new UsageError("video comes and goes by pipes: give both -i - and -o -, or neither");
    }
    if (input === "-") {
      const { upscaleVideo } = await import("./upscale-video.ts");
      await upscaleVideo(values, context);
      return;
    }
    const { upscaleFiles } = await import("./upscale-files.ts");
    const reports = await upscaleFiles(values, context);
    if (json !== undefined) {
      const { writeWhole } = await import("../data/files.ts");
      await writeWhole(json, `${JSON.stringify(reports, null, 2)}\n`);
    }
    const failed = reports.filter(({ error }) => error !== undefined);
    if (failed.length === 1 && reports.length === 1) throw new DataError(failed[0].error!);
    if (failed.length > 0) {
      throw new DataError(`${failed.length} of ${reports.length} pictures were not enlarged; see above.`);
    }
  },
);

/** "512M" */
function bytes(given: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG])i?B?$/i.exec(given) ?? [];
  if (number === undefined) throw new UsageError("wants a size such as 512M or 2G");
  return Number(number) * 2 ** { K: 10, M: 20, G: 30 }[unit.toUpperCase() as "K" | "M" | "G"];
}
