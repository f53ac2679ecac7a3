/** What training and measuring say of pictures before they use them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { highFilesIn } from "../../src/data/folder.ts";
import { evaluate, findPictures } from "../../src/evaluate/index.ts";
import { survey } from "../../src/train/survey.ts";
import { interpolator } from "../../src/upscale/index.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { pngChunk } from "../support/png.ts";

async function pictures(): Promise<string> {
  const folder = temporaryFolder();
  const picture = () => sharp(noise(48, 48, 3).data, { raw: { width: 48, height: 48, channels: 3 } });
  const jpeg = await picture().jpeg().toBuffer();
  const png = await picture().png().toBuffer();
  const withCode = (transfer: number) =>
    Buffer.concat([png.subarray(0, 33), pngChunk("cICP", Buffer.of(9, transfer, 0, 1)), png.subarray(33)]);
  const phone = Buffer.from(jpeg);
  phone[phone.indexOf(Buffer.of(0xff, 0xda)) + 12] = 0;
  const files = {
    "cmyk.jpg": await picture().toColourspace("cmyk").jpeg().toBuffer(),
    "hdr.png": withCode(16),
    "wide.png": withCode(13),
    "endless.jpg": jpeg.subarray(0, -2),
    "phone.jpg": phone,
    "sound.jpg": jpeg,
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

const colors = [
  {
    kind: "color",
    text: "1 of 6 files has colours that are neither RGB nor grey, such as CMYK, and are converted to sRGB: cmyk.jpg",
  },
  { kind: "color", text: "1 of 6 files has HDR colours, which are taken for sRGB: hdr.png" },
];
const noEnd = {
  kind: "decoder",
  text: "endless.jpg: the decoder warns: the mark for the end of the file is missing",
};

test("training names colours that it converts, and what decoders warn of where they look first", async () => {
  const files = highFilesIn(await pictures(), 2);
  expect(await survey(files, [], { scale: 2, patch: 8 })).toEqual([...colors, noEnd]);
});

test("evaluate names what decoders warn of", async () => {
  const { notes } = await evaluate(interpolator("bicubic", 2), findPictures(await pictures(), { scale: 2 }));
  const phone = {
    kind: "decoder",
    text: "phone.jpg: the decoder warns: Invalid SOS parameters for sequential JPEG",
  };
  expect(notes).toEqual([noEnd, phone]);
});
