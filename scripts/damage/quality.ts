/** What the networks make of damaged pictures, for docs/damage.md: `npm run damage:quality -- --help`. */
import { join } from "node:path";
import { defineCommand } from "../../src/cli/flags.ts";
import { adapterFlag } from "../../src/cli/method-flags.ts";
import { print } from "../../src/cli/print.ts";
import { run } from "../../src/cli/run.ts";
import { type DegradationOptions, writePng } from "../../src/data/index.ts";
import type { PairFiles } from "../../src/data/pairs.ts";
import { evaluate, findPictures, loadPicture } from "../../src/evaluate/index.ts";
import { defaultMethod, init, openMethod, photoMethod } from "../../src/node.ts";
import { folder, type Kind, whole } from "../../src/options/kinds.ts";
import { psnr } from "../../src/picture/index.ts";
import { type Panel, pickDetail, type Row, sideBySide } from "../../src/report/picture.ts";
import { markdownTable } from "../../src/report/table.ts";
import { limits } from "../../src/upscale/choice.ts";
import { photoNetwork } from "../../src/upscale/method-names.ts";
import { writeSection } from "./page.ts";

type Recipe = Omit<Extract<DegradationOptions, { jpeg?: unknown }>, "seed">;

/** What the network for damaged pictures is measured by. Blur is in pixels of the original. */
const recipes: Readonly<Record<string, Recipe>> = {
  "JPEG 60": { jpeg: 60 },
  "noise 10": { noise: 10 },
  "blur 1.2": { blur: { sigma: 1.2 } },
};
const scales = [1, 2, 4] as const;

/** Where the two networks meet, which is where the limits of the choice belong. */
const strengths: Readonly<Record<string, Recipe>> = {
  "as it is": {},
  ...Object.fromEntries([50, 70, 80, 85, 90, 95].map((jpeg) => [`JPEG ${jpeg}`, { jpeg }])),
  ...Object.fromEntries([1, 2, 3, 4, 6].map((noise) => [`noise ${noise}`, { noise }])),
  ...Object.fromEntries([0.6, 1.2, 2.4].map((sigma) => [`blur ${sigma}`, { blur: { sigma } }])),
};

interface Method {
  readonly kind: "bicubic" | "clean" | "photo";
  /** Undefined if there is none for the scale. */
  readonly name: string | undefined;
}

/** What is compared at a scale. At scale 1, bicubic interpolation leaves the picture as it is. */
function methodsAt(scale: number): Method[] {
  const clean = defaultMethod(scale);
  return [
    { kind: "bicubic", name: "bicubic" },
    { kind: "clean", name: scale === 1 ? undefined : clean },
    { kind: "photo", name: photoMethod(scale) },
  ];
}

interface PictureSet {
  readonly name: string;
  readonly folder: string;
}

const pictureSet: Kind<PictureSet> = {
  wants: "NAME=FOLDER, such as Set5=Set5/HR",
  symbol: "NAME=FOLDER",
  fits: (value): value is PictureSet => value !== undefined,
  read(text) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    return name === undefined ? undefined : { name, folder: path };
  },
  write: ({ name, folder: path }) => `${name}=${path}`,
};

const command = defineCommand({
  about: `
Measures bicubic interpolation, the network for clean pictures and the one for damaged pictures on
damaged copies of pictures: JPEG of quality 60, noise of 10 levels, a blur of 1.2 pixels, at scales
1, 2 and 4. Then, on the first set, at scale 2, weaker and stronger damage. Writes the tables into
docs/damage.md, and to --out a picture of details side by side.`,
  flags: {
    hr: {
      kind: pictureSet,
      help: "folders of original pictures, none of which a network has learned from, and their names in the table",
      required: true,
      multiple: true,
    },
    most: { kind: whole(1), help: "of each folder, at most so many pictures; default: 10" },
    out: { kind: folder, help: "where details.png goes; default: nowhere" },
    adapter: adapterFlag,
  },
  operands: "hr",
  examples: [["Set5=Set5/HR BSDS=held-out --out compared", "two sets; minutes"]],
  async run({ hr: sets, most = 10, out, adapter }, { signal }) {
    const device = await init({ adapter });
    const measure = async (hr: string, scale: number, recipe: Recipe, name: string) => {
      const { upscaler, close } = await openMethod({ method: name, scale });
      try {
        const pictures = picturesFor(hr, scale, recipe, most);
        return (await evaluate(upscaler, pictures, { signal, withSsim: false, warmUp: false })).mean.psnr;
      } finally {
        close();
      }
    };
    try {
      const rows: string[][] = [];
      const margins: number[] = [];
      for (const { name: set, folder: hr } of sets) {
        for (const [damage, recipe] of Object.entries(recipes)) {
          const cells: string[] = [];
          for (const scale of scales) {
            const decibels: Partial<Record<Method["kind"], number>> = {};
            for (const { kind, name } of methodsAt(scale)) {
              if (name !== undefined) decibels[kind] = await measure(hr, scale, recipe, name);
              if (kind !== "clean" || scale > 1) cells.push(decibels[kind]?.toFixed(2) ?? "-");
            }
            const { bicubic = 0, clean = 0, photo } = decibels;
            if (photo !== undefined) margins.push(photo - Math.max(bicubic, clean));
          }
          rows.push([set, damage, ...cells]);
          print(rows.at(-1)!.join("  "));
        }
      }
      const strengthRows: string[][] = [];
      for (const [damage, recipe] of Object.entries(strengths)) {
        const cells: string[] = [];
        for (const { name } of methodsAt(2)) {
          cells.push(name === undefined ? "-" : (await measure(sets[0].folder, 2, recipe, name)).toFixed(2));
        }
        strengthRows.push([damage, ...cells]);
        print(strengthRows.at(-1)!.join("  "));
      }
      await writeSection("quality", section(rows, strengthRows, sets[0].name, most, margins));
      if (out !== undefined) {
        const page = await sideBySide(await detailsOf(sets.at(-1)!.folder, most), 216);
        await writePng(join(out, "details.png"), page);
      }
    } finally {
      device.destroy();
    }
  },
});

function picturesFor(hr: string, scale: number, recipe: Recipe, most: number): PairFiles[] {
  const degradation = Object.keys(recipe).length > 0 ? { seed: 0, ...recipe } : undefined;
  return findPictures(hr, { scale, degradation, onLeftOut: print }).slice(0, most);
}

function section(
  rows: readonly string[][],
  strengthRows: readonly string[][],
  first: string,
  most: number,
  margins: readonly number[],
): string {
  const clean = (scale: number) => defaultMethod(scale);
  const header = [
    ...["pictures", "damage", "x1: as it is", photoNetwork],
    ...["x2: bicubic", `${clean(2)}`, photoNetwork, "x4: bicubic", `${clean(4)}`, photoNetwork],
  ];
  const least =
    margins.length === 0
      ? `There is no ${photoNetwork} in this version yet.`
      : `The least gain of ${photoNetwork} over the better of the others is ${Math.min(...margins).toFixed(2)} dB.`;
  return `${markdownTable(header, rows)}

PSNR on Y in dB; of each folder the first ${most} pictures at most, none of which a network has learned from. Damage
as \`pixelgrad evaluate --degradation jpeg:60\`, \`noise:10\` and \`blur:1.2\` make it; blur is in pixels of the
original. ${least}

Weaker and stronger, at x2 on ${first}; the choice takes ${photoNetwork} from JPEG ${limits.jpegQuality}
and noise ${limits.noise} on:

${markdownTable(["damage", "bicubic", `${clean(2)}`, photoNetwork], strengthRows)}`;
}

/** A row for each damage and scale: another picture each time. */
async function detailsOf(hr: string, most: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scale of scales) {
    for (const [damage, recipe] of Object.entries(recipes)) {
      const pictures = picturesFor(hr, scale, recipe, most);
      const picture = await loadPicture(pictures[rows.length % pictures.length], scale);
      const { name, high, low } = picture;
      const panels: Panel[] = [];
      for (const { kind, name: method } of methodsAt(scale)) {
        if (method === undefined) continue;
        const { upscaler, close } = await openMethod({ method, scale });
        const image = await upscaler.upscale(low);
        close();
        const label = kind === "bicubic" && scale === 1 ? "as it is" : method;
        panels.push({
          caption: `${label} ${psnr(image, high, { border: scale, channels: "rgb" }).toFixed(2)} dB`,
          image,
        });
      }
      panels.push({ caption: "original", image: high });
      const region = pickDetail(high, 108, scale);
      rows.push({
        title: `${name}: ${damage}, x${scale} (PSNR on RGB)`,
        overview: { caption: "whole", image: high, region },
        panels,
      });
    }
  }
  return rows;
}

process.exitCode = await run("npm run damage:quality --", command, process.argv.slice(2));
