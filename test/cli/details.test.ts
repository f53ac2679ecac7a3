/** What `pixelgrad compare` shows of each picture. */
import { expect, test } from "vitest";
import { addPanels } from "../../src/cli/compare.ts";
import type { Detail } from "../../src/cli/comparison-files.ts";
import type { Evaluation } from "../../src/evaluate/index.ts";
import { crop } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import type { UpscaleOptions } from "../../src/upscale/index.ts";
import { noise } from "../data/support.ts";

test.each(["none", "mirror"] as const)(
  "a detail is made with the padding of its figures: %s",
  async (padding) => {
    const low = noise(30, 20, 3);
    const high = imresize(low, 2);
    const region = { x: 12, y: 6, width: 16, height: 16 };
    const panels: Detail["panels"] = [];
    const details = [{ picture: { name: "a", low, high }, region, panels }];
    const asked: (UpscaleOptions | undefined)[] = [];
    const upscale = async (_: unknown, options?: UpscaleOptions) => {
      asked.push(options);
      return high;
    };
    const images = [
      { name: "a", psnr: 31.024, ssim: 1, ms: 1, megapixels: 1 },
    ] satisfies Evaluation["images"];
    const { signal } = new AbortController();
    await addPanels(details, { name: "wren", upscale }, { images, padding }, signal);
    expect(asked).toEqual([{ signal, padding }]);
    // No more of it than is shown: the enlarged pictures of all methods would fill the memory.
    expect(panels).toEqual([{ caption: "wren 31.02 dB", image: crop(high, 12, 6, 16, 16), isRegion: true }]);
  },
);
