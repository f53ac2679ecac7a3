/** The flags of `pixelgrad upscale`. */

import { file, type Kind, oneOf, path, positive, whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { alphaChoices } from "../picture/alpha.ts";
import {
  formatNames,
  formatOfName,
  namesOfFormats,
  pictureFormats,
  writtenFormats,
} from "../picture/formats.ts";
import type { Values } from "./flags.ts";
import { adapterFlag, ensembleFlag, halfFlag, methodFlag, scaleFlag } from "./method-flags.ts";
import { profileFlag } from "./profile.ts";

const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes: "512M". */
const size: Kind<number> = {
  wants: "a size such as 512M or 2G",
  symbol: "SIZE",
  fits: (value): value is number => positive.fits(value),
  read(text) {
    const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG])i?B?$/i.exec(text) ?? [];
    return number && Number(number) * units[unit.toUpperCase()];
  },
  write: (bytes) => `${bytes / units.M}M`,
};

const formatKind = oneOf(...writtenFormats);

const deepNames = andList(
  namesOfFormats(writtenFormats.filter((format) => pictureFormats[format].writes!.depth > 8)),
);

export const upscaleFlags = {
  input: {
    short: "i",
    kind: path,
    help:
      `a picture (${formatNames}), a folder of pictures, or - for video from standard input; inputs may ` +
      "also stand without this flag",
    required: true,
    multiple: true,
  },
  output: {
    short: "o",
    kind: path,
    help:
      "the result: a picture; a folder, if it exists, if the input is one, or if there are several inputs; " +
      "- for video to standard output",
    required: true,
  },
  recursive: {
    short: "r",
    help: "takes the pictures of subfolders, too; the results get the same subfolders",
  },
  scale: scaleFlag,
  width: {
    kind: whole(1),
    help:
      "the most pixels that a result may have across: what the method makes is reduced to fit, and keeps its " +
      "proportions. --width or --height or both; without --scale, by the smallest scale that suffices",
  },
  height: { kind: whole(1), help: "the same, down" },
  method: { ...methodFlag, help: `${methodFlag.help}; default: the one that suits the picture (above)` },
  ensemble: ensembleFlag,
  half: halfFlag,
  adapter: adapterFlag,
  format: {
    short: "f",
    kind: {
      ...formatKind,
      // People also call formats by their files' extensions, such as jpg.
      read: (text: string) => formatKind.read(formatOfName(`x.${text}`) ?? text),
    },
    help: "format of the results; default: that of the output's name; in a folder, png",
  },
  quality: {
    kind: whole(1, 100),
    help: "1 to 100, for JPEG, WebP and AVIF; default: 95. At 100, WebP and AVIF are lossless",
  },
  depth: {
    kind: oneOf(8, 16),
    help: `bits per sample, 16 for ${deepNames} (12 bits); default: as the input`,
  },
  alpha: {
    kind: oneOf(...alphaChoices),
    help: "transparency: keep, drop (opaque), white or black (background); default: keep, for JPEG white",
  },
  tile: {
    short: "t",
    kind: whole(1),
    help: "side of a tile in input pixels, which does not change the result; default: as memory allows",
  },
  "max-memory": {
    kind: size,
    help: "the most memory that the program may take, such as 512M or 2G; default: about 1G and the picture",
  },
  overwrite: {
    help:
      "replaces results that exist, but nothing that lies among the pictures. Without it, they stay, so that the " +
      "same command can go on",
  },
  json: {
    kind: file,
    help:
      "writes a report here, with an entry for every picture, also for those that are left out; - is standard " +
      "output",
  },
  ...profileFlag,
} as const;

export type UpscaleFlags = Values<typeof upscaleFlags>;
