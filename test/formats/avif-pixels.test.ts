/** What boxes of AVIF files say of the main picture's pixels, and how it is turned. */
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { metadataOf } from "../../src/files/metadata-in-file.ts";
import { orientationOfAvif, withPixelsOfAvif } from "../../src/formats/avif-pixels.ts";
import { noise } from "../data/support.ts";
import { uint32s } from "../support/png.ts";

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([uint32s(8 + body.length), Buffer.from(type, "latin1"), body]);
}

/** Item 1 is alpha, with pixels of 3 x 1; item 2 the picture, with pixels of 2 x 1, turned by `turns` quarters. */
function avifOf(turns: number, { isWide = false, main = 2 } = {}): Buffer {
  const id = (value: number) => (isWide ? uint32s(value) : Buffer.of(0, value));
  const uses = (...places: readonly number[]) =>
    Buffer.concat(places.map((place) => (isWide ? Buffer.of(0x80, place) : Buffer.of(0x80 | place))));
  const properties = [box("pasp", uint32s(3, 1)), box("pasp", uint32s(2, 1)), box("irot", Buffer.of(turns))];
  const items = [id(1), Buffer.of(1), uses(1), id(2), Buffer.of(2), uses(2, 3)];
  const versions = isWide ? [1, 0, 0, 1] : [0, 0, 0, 0];
  const ipma = box("ipma", Buffer.from(versions), uint32s(2), ...items);
  const pitm = box("pitm", Buffer.of(versions[0], 0, 0, 0), id(main));
  return box("meta", Buffer.alloc(4), pitm, box("iprp", box("ipco", ...properties), ipma));
}

const header = {
  ...({ format: "avif", width: 4, height: 3, channels: 3, depth: 8, orientation: 1 } as const),
  ...{ frames: 1, looksWhole: true, space: "srgb" },
};

describe("the main picture's", () => {
  const ratio = (x: number, y: number) => ({ x, y, isRatio: true });

  test.each([false, true])("pixels count, not those of alpha", (isWide) => {
    const pixels = (bytes: Buffer) => withPixelsOfAvif(bytes, { metadata: {}, gaps: [] }).metadata.density;
    expect(pixels(avifOf(0, { isWide }))).toEqual(ratio(1, 2));
    expect(pixels(avifOf(0, { isWide, main: 1 }))).toEqual(ratio(1, 3));
    expect(pixels(avifOf(0, { isWide, main: 7 }))).toBeUndefined();
  });

  test("pixels are turned with it", () => {
    for (const [turns, want] of [ratio(1, 2), ratio(2, 1), ratio(1, 2), ratio(2, 1)].entries()) {
      expect(metadataOf(header, avifOf(turns)).metadata.density, `${turns}`).toEqual(want);
    }
    expect(orientationOfAvif(avifOf(1))).toBe(8);
    expect(orientationOfAvif(avifOf(1, { main: 1 }))).toBe(1);
  });

  test("boxes that were cut short say nothing", () => {
    const whole = avifOf(1);
    for (let length = 0; length < whole.length; length++) {
      const { density } = metadataOf(header, whole.subarray(0, length)).metadata;
      if (density) expect(density).toEqual(ratio(2, 1));
    }
  });
});

test("the orientation that an encoder puts into boxes", async () => {
  const { data, ...size } = noise(16, 16, 3);
  for (let orientation = 1; orientation <= 8; orientation++) {
    const bytes = await sharp(data, { raw: size }).withMetadata({ orientation }).avif().toBuffer();
    expect(orientationOfAvif(bytes)).toBe(orientation);
  }
});
