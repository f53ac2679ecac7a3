/** Which network a picture gets where nobody names one. Stand-ins take the place of networks that have no files yet. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng, readImage } from "../../src/files/image-files.ts";
import {
  chooseMethod,
  defaultMethod,
  type Image,
  interpolator,
  openMethod,
  setDefaultDevice,
  upscale,
  upscaleBands,
} from "../../src/node.ts";
import { crop } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { photoNetwork, pretrainedFile } from "../../src/upscale/method-names.ts";
import { photograph, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { useStandIns, withoutFiles, writeStandIns } from "../support/stand-ins.ts";

const folder = join(temporaryFolder(), "weights");
let clean: Image;
/** The same as a JPEG file of quality 60. */
let jpeg: Uint8Array;

beforeAll(async () => {
  mkdirSync(folder);
  setDefaultDevice(float32Device());
  await writeStandIns(folder, photoNetwork, [1, 2, 4]);
  await writeStandIns(folder, "wren", [2, 3, 4]); // small ones, for the CPU
  const whole = await readImage(photograph("allium-oreophilum"));
  clean = imresize(crop(whole, 0, 0, 224, 192), 0.5);
  jpeg = new Uint8Array(
    await sharp(await encodePng(clean))
      .jpeg({ quality: 60 })
      .toBuffer(),
  );
});

describe("with a network for damaged pictures at x1, x2 and x4", () => {
  let restore = () => {};
  beforeAll(() => {
    const removed = withoutFiles(photoNetwork);
    const removeStandIns = useStandIns(folder);
    restore = () => {
      removeStandIns();
      removed();
    };
  });
  afterAll(() => restore());

  test("a clean picture gets the default network, and the bytes that its name gives", async () => {
    const { image, choice, method } = await upscale(clean);
    expect({ method, chosen: choice?.method }).toEqual({
      method: defaultMethod(2),
      chosen: defaultMethod(2),
    });
    expect(choice!.why).toBe("for a picture without signs of damage");
    expect(image).toEqual((await upscale(clean, { method: defaultMethod(2) })).image);
  });

  test("at scale 1 it gets the network for damaged pictures, which says so and keeps the size", async () => {
    const { image, choice, method } = await upscale(clean, { scale: 1 });
    expect(method).toBe("wren-photo");
    expect(choice!.why).toBe("though there is no sign of damage");
    expect([image.width, image.height]).toEqual([clean.width, clean.height]);
  });

  test("a JPEG file gets the other one", async () => {
    const { image, choice, method } = await upscale(jpeg);
    expect(method).toBe(photoNetwork);
    expect(choice).toMatchObject({
      method: photoNetwork,
      why: "for JPEG at quality about 60",
      damage: { jpegQuality: 60 },
    });
    expect(image).toEqual((await upscale(jpeg, { method: photoNetwork })).image);
    const bands = await upscaleBands(jpeg);
    expect(bands.choice).toEqual(choice);
    bands.close();
    expect(chooseMethod({ image: clean, jpegQuality: 60 }, 4)!.method).toBe(photoNetwork);
  });

  test("the same picture as PNG, too: its pixels show it", async () => {
    const png = await sharp(jpeg).png().toBuffer();
    const { choice } = await upscale(new Uint8Array(png));
    expect(choice!.method).toBe(photoNetwork);
    expect(choice!.damage.jpegQuality).toBeGreaterThan(55);
    expect(choice!.damage.jpegQuality).toBeLessThan(65);
  });

  test("a good JPEG file is a clean picture", async () => {
    const good = await sharp(await encodePng(clean))
      .jpeg({ quality: 95 })
      .toBuffer();
    const { choice } = await upscale(new Uint8Array(good));
    expect(choice).toMatchObject({ method: defaultMethod(2), damage: { jpegQuality: 95 } });
  });

  test("at x3, which it lacks, the default network, and the reason says so", async () => {
    const { choice, method } = await upscale(jpeg, { scale: 3 });
    expect(method).toBe(defaultMethod(3));
    expect(choice!.why).toBe("though there is JPEG at quality about 60: no network for that has scale 3");
  });

  test("at x1 it cleans up, whatever the picture shows", async () => {
    for (const picture of [clean, jpeg]) {
      const { method, image, choice } = await upscale(picture, { scale: 1 });
      expect({ method, width: image.width }).toEqual({ method: photoNetwork, width: clean.width });
      expect(choice!.method).toBe(photoNetwork);
    }
    const { upscaler, close } = await openMethod({ scale: 1 });
    expect(upscaler.name).toBe(photoNetwork);
    close();
  });

  test("whoever names a method gets it, and no choice is made; at x8 there is none", async () => {
    for (const method of ["bicubic", interpolator("bicubic", 2)]) {
      const done = await upscale(jpeg, { method });
      expect(done.method).toBe("bicubic");
      expect(done).not.toHaveProperty("choice");
    }
    const large = await upscale(jpeg, { scale: 8 });
    expect(large.method).toBe("bicubic");
    expect(large).not.toHaveProperty("choice");
  });

  test("an ensemble is one of the chosen network", async () => {
    const part = { left: 0, top: 0, width: 24, height: 16 };
    const small = await sharp(jpeg).extract(part).jpeg({ quality: 60 }).toBuffer();
    const { method, choice } = await upscale(new Uint8Array(small), { ensemble: true });
    expect({ method, chosen: choice!.method }).toEqual({ method: `${photoNetwork}+`, chosen: photoNetwork });
  });
});

describe("without such a network", () => {
  let restore = () => {};
  beforeAll(() => {
    restore = withoutFiles(photoNetwork);
  });
  afterAll(() => restore());

  test("the default network takes damaged pictures; at x1 there is nothing to take", async () => {
    expect(chooseMethod({ image: clean, jpegQuality: 50 })).toMatchObject({
      method: defaultMethod(2),
      why: "though there is JPEG at quality about 50: no network for that has scale 2",
    });
    await expect(upscale(clean, { scale: 1 })).rejects.toThrow("scale 1 keeps the size");
    expect(pretrainedFile(photoNetwork, 2)).toBeUndefined();
  });
});

test("signs are listed", () => {
  const blank: Image = { width: 64, height: 64, channels: 1, data: new Uint8Array(64 * 64).fill(128) };
  const why = (jpegQuality?: number) => chooseMethod({ image: blank, jpegQuality })!.why;
  expect(why(86)).toBe("for a picture without signs of damage");
  expect(why(85)).toContain("JPEG at quality about 85");
  expect(() => chooseMethod({ image: {} as Image })).toThrow("a picture is");
});
