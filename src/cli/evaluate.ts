import type { PictureScore } from "../evaluate/index.ts";
import { defineCommand, oneOf, text, whole } from "./flags.ts";
import { adapterFlag, ensembleFlag, methodFlag, methodOf, scaleFlag } from "./methods.ts";
import { checkFolderOf, checkNotRead, conditionsOf, figures, idsOf, resultOf } from "./results.ts";

/** Flags that say what is measured, and on what; those of `compare` as well. */
export const measureFlags = {
  hr: { value: "DIR", help: "folder of the original pictures (PNG, JPEG, WebP)", read: text, required: true },
  lr: {
    value: "DIR",
    help: "folder of their small versions, called NAME.png, NAMEx2.png, NAME_LR.png or the like; without: made by Matlab's bicubic",
    read: text,
  },
  scale: scaleFlag,
  protocol: {
    value: "P",
    help: "what is compared: y (the default) or rgb; see above",
    read: oneOf("y", "rgb"),
  },
  border: {
    value: "N",
    help: "pixels left out along each side; by default as many as the scale",
    read: whole(0),
  },
  adapter: adapterFlag,
} as const;

export const aboutProtocols = `
--protocol y is that of the papers' tables: Y of BT.601 (Matlab's rgb2ycbcr) rounded to whole
levels; LR is Matlab's bicubic of this one plane, not rounded; the result is rounded. Bicubic has
33.66 dB and 0.9299 on Set5 x2 this way, as published; with LR files, which hold rounded RGB, it
has 33.64 and 0.9293. EDSR works on RGB: it gets LR in RGB, and Y of its rounded result counts.
--protocol rgb compares R, G and B; EDSR's figures on DIV2K have --border (scale + 6).`;

export const evaluateCommand = defineCommand(
  {
    name: "evaluate",
    summary: "measures a method on pictures: PSNR, SSIM and milliseconds",
    about: `
Reads every picture of a folder (HR), makes a small version of it (LR) or takes the one given,
enlarges that, and compares the result with the original.
${aboutProtocols}

ms is the time for enlarging alone, after a warm-up, until the result is in memory: of Y alone
where the protocol compares nothing else.`,
    flags: {
      ...measureFlags,
      method: { ...methodFlag, required: true },
      ensemble: ensembleFlag,
      json: {
        value: "FILE",
        help: "writes the figures there as well; null stands for infinite PSNR",
        read: text,
      },
    },
    examples: [
      ["evaluate --hr Set5/HR --scale 2 --method bicubic", "the first row of the papers' tables"],
      [
        "evaluate --hr Set5/HR --scale 3 --method srcnn --json srcnn.json",
        "a network that comes with pixelgrad, its figures also as JSON",
      ],
      [
        "evaluate --hr DIV2K_valid_HR --lr DIV2K_valid_LR_bicubic/X2 \\\n" +
          "      --method edsr-x2.safetensors --protocol rgb --border 8",
        "the EDSR paper's figures on DIV2K",
      ],
    ],
  },
  async (flags, { signal }) => {
    if (flags.json !== undefined) checkFolderOf(flags.json);
    const { evaluate, findPictures } = await import("../evaluate/index.ts");
    const { writeWhole } = await import("../data/files.ts");
    const opened = await methodOf(flags);
    try {
      const pictures = findPictures(flags.hr, flags.lr, opened.upscaler.scale, console.error);
      const read = idsOf([opened.weights, ...pictures.flatMap(({ high, low }) => [high, low])]);
      if (flags.json !== undefined) checkNotRead(flags.json, "--json", read);
      const { protocol, border } = flags;
      const row = rowPrinter(pictures.map(({ name }) => name));
      const onPicture = (score: PictureScore, i: number) => {
        if (i === 0) console.log(row("picture", "PSNR, dB", "SSIM", "ms"));
        console.log(row(score.name, ...figures(score)));
      };
      const options = { protocol, border, signal, onPicture };
      const result = resultOf(opened, await evaluate(opened.upscaler, pictures, options));
      console.log(row("mean", ...figures(result.mean)));
      console.log(`\n${result.method} x${result.scale}: ${conditionsOf(result)}`);
      if (flags.json !== undefined) await writeWhole(flags.json, `${JSON.stringify(result, null, 2)}\n`);
    } finally {
      opened.close();
    }
  },
);

/** Columns as wide as the longest name. */
function rowPrinter(names: readonly string[]): (name: string, ...figures: string[]) => string {
  const width = Math.max(7, ...names.map((name) => name.length));
  return (name, ...figures) => name.padEnd(width) + figures.map((figure) => figure.padStart(11)).join("");
}
