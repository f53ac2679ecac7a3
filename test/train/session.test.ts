/** What is said of pictures, and which are refused, before the first step. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import { openSession } from "../../src/train/session.ts";
import { float32Device } from "../support/devices.ts";
import { drawnPicture } from "../support/pictures.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();

/** Opens a session on a folder with two plain pictures and others; returns its messages. */
async function open(add: (folder: string) => Promise<void>): Promise<string[]> {
  const folder = unused();
  mkdirSync(folder);
  for (const k of [0, 1]) await writePng(join(folder, `${k}.png`), drawnPicture(k));
  await add(folder);
  const lines: string[] = [];
  const session = await openSession({ ...tiny, data: [folder] }, device, (line) => lines.push(line));
  await session.close();
  return lines;
}

const withAlpha = (alpha: number) => async (folder: string) => {
  const { width, height, data } = drawnPicture(3);
  const rgba = new Uint8Array(4 * width * height).map((_, i) =>
    i % 4 === 3 ? (i < 400 ? alpha : 255) : data[3 * (i >> 2) + (i % 4)],
  );
  await writePng(join(folder, "a.png"), { width, height, channels: 4, data: rgba });
};

test("16 bits and frames are told, by name", async () => {
  const lines = await open(async (folder) => {
    const { width, height, data } = drawnPicture(2);
    const levels = Uint16Array.from(data, (value) => value * 257);
    const deep = sharp(levels, { raw: { width, height, channels: 3 } }).toColourspace("rgb16");
    writeFileSync(join(folder, "deep.png"), await deep.png().toBuffer());
    const pages = [data, drawnPicture(5).data].map((one) =>
      sharp(one, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    );
    const animated = sharp(await Promise.all(pages), { join: { animated: true } });
    writeFileSync(join(folder, "moving.gif"), await animated.gif().toBuffer());
  });
  expect(lines).toContain("deep.png: 16 bits per sample, the upper 8 of which are used");
  expect(lines).toContain("moving.gif: several frames or pages, the first of which is used");
});

test("transparent pictures are refused; an opaque alpha channel does no harm", async () => {
  await expect(open(withAlpha(254))).rejects.toThrow(/^Transparent pictures are nothing to train on.*a\.png/);
  await open(withAlpha(255));
});
