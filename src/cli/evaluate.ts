import { defineCommand, oneOf, text, whole } from "./flags.ts";

export const evaluate = defineCommand({
  name: "evaluate",
  summary: "measures a method on pictures: PSNR, SSIM and milliseconds",
  about: `
Reads every picture of a folder (HR), makes a small version of it (LR) or takes the one given,
enlarges that, and compares the result with the original.

--protocol y is that of the papers' tables: Y of BT.601 (Matlab's rgb2ycbcr) rounded to whole
levels; LR is Matlab's bicubic of this plane, not rounded; the result is rounded; the border left
out is as wide as the scale. Bicubic has 33.66 dB and 0.9299 on Set5 x2 this way, as published;
with LR files, which hold rounded RGB, 33.64 and 0.9293. EDSR works on RGB: it gets LR in RGB, and
Y of its rounded result is compared.
--protocol rgb compares R, G and B; EDSR's figures on DIV2K have --border (scale + 6).

Times are of enlarging alone, after a warm-up, and with the results back in memory.`,
  flags: {
    hr: { value: "DIR", help: "folder of the original pictures (PNG, JPEG, WebP)", read: text, required: true },
    lr: {
      value: "DIR",
      help: "folder of their small versions: NAME.png or NAMEx2.png; default: made by Matlab's bicubic",
      read: text,
    },
    scale: { value: "S", help: "enlargement of each side: 2, 3, 4 or 8", read: oneOf("2", "3", "4", "8"), required: true },
    method: {
      value: "M",
      help: "nearest, bilinear, bicubic, srcnn, espcn, fsrcnn or edsr",
      read: oneOf("bicubic"),
      required: true,
    },
    protocol: { value: "P", help: "y (default) or rgb: what is compared, see above", read: oneOf("y", "rgb") },
    border: { value: "N", help: "pixels left out along each side; default: the scale", read: whole(0) },
    json: { value: "FILE", help: "writes the figures there as well", read: text },
  },
  examples: [
    ["evaluate --hr Set5/HR --scale 2 --method bicubic", "the first row of the papers' tables"],
  ],
  async run(flags, { signal }) {
    const { evaluate, findPictures } = await import("../evaluate/index.ts");
    const { bicubic } = await import("../evaluate/upscaler.ts");
    const scale = Number(flags.scale);
    const result = await evaluate(bicubic(scale), findPictures(flags.hr, flags.lr, scale), { ...flags, signal });
    console.log(result.conditions, result.mean, result.msPerMegapixel);
  },
});
