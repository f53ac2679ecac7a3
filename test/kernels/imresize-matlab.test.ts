/** The kernel against pictures that Matlab itself resized. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { readImage } from "../../src/files/image-files.ts";
import { modcrop } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { differing, testData } from "../data/support.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { resized } from "../support/resized.ts";

const devices: Device[] = [...(await gpuDevices()), float32Device()];

describe.each(devices.map((device) => [device.name, device] as const))("%s", (_, device) => {
  const set5 = testData("set5");
  test.skipIf(set5 === undefined).each([2, 3, 4])(
    "Matlab's own Set5 X%i: 0 differing samples",
    async (scale) => {
      const names = readdirSync(join(set5!, "HR"));
      expect(names.length).toBe(5);
      for (const file of names) {
        const high = modcrop(await readImage(join(set5!, "HR", file)), scale);
        const path = join(set5!, "LR_bicubic", `X${scale}`, file.replace(".png", `x${scale}.png`));
        const low = await readImage(path);
        expect(differing(await resized(high, { scaleFactor: 1 / scale }, device), low), file).toBe(0);
        // Bicubic enlargement, the papers' baseline.
        const up = await resized(low, { scaleFactor: scale }, device);
        expect(differing(up, imresize(low, scale)), file).toBe(0);
      }
    },
  );

  const div2k = testData("div2k-sample");
  test.skipIf(div2k === undefined)("Matlab's own DIV2K 0004 X2: 0 differing samples", async () => {
    const high = await readImage(join(div2k!, "HR", "0004.png"));
    const low = await readImage(join(div2k!, "LR_bicubic_X2", "0004x2.png"));
    expect(differing(await resized(high, { scaleFactor: 1 / 2 }, device), low)).toBe(0);
  });
});
