/** What becomes of a picture's samples in each format, for the command line and for the page's canvas. */
import { describe, expect, test } from "vitest";
import { exceededSide, fitSamples, type SampleOptions } from "../../src/formats/fit-samples.ts";
import { noteInEnglish } from "../../src/formats/notes.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import type { Image, Samples } from "../../src/picture/image.ts";

const size = { width: 1, height: 2 };
const pictures = {
  opaque: { ...size, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
  "with alpha that is opaque": { ...size, channels: 4, data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255) },
  transparent: { ...size, channels: 2, data: Uint8Array.of(1, 255, 2, 254) },
  deep: { ...size, channels: 1, data: Uint16Array.of(1, 65535) },
  "deep and transparent": { ...size, channels: 2, data: Uint16Array.of(1, 65535, 2, 65534) },
} as const satisfies Record<string, Image<Samples>>;

const onWhite = "put on white: JPEG holds no transparency";
const became8 = "16 bits per sample became 8";

describe.each<[keyof typeof pictures, SampleOptions, 8 | 16, string, ...string[]]>([
  ["opaque", { format: "jpeg" }, 8, "white"],
  ["opaque", { format: "png" }, 8, "keep"],
  ["with alpha that is opaque", { format: "jpeg" }, 8, "white"],
  ["with alpha that is opaque", { format: "jpeg", byCanvas: true }, 8, "white"],
  ["transparent", { format: "png" }, 8, "keep"],
  ["transparent", { format: "webp" }, 8, "keep"],
  ["transparent", { format: "webp", byCanvas: true }, 8, "keep"],
  ["transparent", { format: "avif" }, 8, "keep"],
  ["transparent", { format: "jpeg" }, 8, "white", onWhite],
  ["transparent", { format: "jpeg", byCanvas: true }, 8, "white", onWhite],
  ["transparent", { format: "jpeg", alpha: "black" }, 8, "black"],
  ["transparent", { format: "png", alpha: "drop" }, 8, "drop"],
  ["deep", { format: "png" }, 16, "keep"],
  ["deep", { format: "tiff" }, 16, "keep"],
  ["deep", { format: "png", depth: 8 }, 8, "keep"],
  ["deep", { format: "avif" }, 16, "keep", "16 bits per sample became 12: AVIF holds no more"],
  ["deep", { format: "avif", byCanvas: true }, 8, "keep", became8],
  ["deep", { format: "avif", depth: 8 }, 8, "keep"],
  ["deep", { format: "webp" }, 8, "keep", `${became8}: WebP holds no more`],
  ["deep", { format: "webp", byCanvas: true }, 8, "keep", became8],
  ["deep and transparent", { format: "jpeg" }, 8, "white", `${became8}: JPEG holds no more`, onWhite],
  ["deep and transparent", { format: "jpeg", byCanvas: true }, 8, "white", became8, onWhite],
])("%s, %o", (name, options, depth, alpha, ...texts) => {
  test(`${depth} bits, alpha: ${alpha}`, () => {
    const { notes, ...fit } = fitSamples(pictures[name], options);
    expect(fit).toEqual({ depth, alpha });
    expect(notes.map((note) => noteInEnglish(note).text)).toEqual(texts);
  });
});

test.each<[PictureFormat, number]>([
  ["webp", 16_383],
  ["avif", 16_384],
  ["jpeg", 65_500],
  ["png", 2 ** 31 - 1],
])("%s has at most %i pixels a side", (format, most) => {
  expect(exceededSide({ width: most, height: 1 }, format)).toBeUndefined();
  expect(exceededSide({ width: 1, height: most + 1 }, format)).toBe(most);
});

test("formats that are only read hold nothing", () => {
  expect(exceededSide({ width: 1, height: 1 }, "gif")).toBe(0);
});
