/** The flags of `pixelgrad upscale`. */
import { outputFormats } from "../data/picture-file.ts";
import { alphaChoices } from "../picture/alpha.ts";
import { oneOf, text, UsageError, type Values, whole } from "./flags.ts";
import { adapterFlag, ensembleFlag, methodFlag, scaleFlag } from "./methods.ts";

export const upscaleFlags = {
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
  scale: scaleFlag,
  method: { ...methodFlag, help: `${methodFlag.help}; by default edsr-small, at scale 8 bicubic` },
  ensemble: ensembleFlag,
  adapter: adapterFlag,
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

export type UpscaleFlags = Values<typeof upscaleFlags>;

/** "512M" */
function bytes(given: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG])i?B?$/i.exec(given) ?? [];
  if (number === undefined) throw new UsageError("wants a size such as 512M or 2G");
  return Number(number) * 2 ** { K: 10, M: 20, G: 30 }[unit.toUpperCase() as "K" | "M" | "G"];
}
