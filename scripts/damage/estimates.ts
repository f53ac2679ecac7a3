/**
 * What damageOf finds in clean and in damaged pictures, for docs/damage.md: `npm run damage:estimates --
 * --help`.
 */
import { resolve, sep } from "node:path";
import { defineCommand } from "../../src/cli/flags.ts";
import { print } from "../../src/cli/print.ts";
import { run } from "../../src/cli/run.ts";
import { type Degradation, degrade, picturesIn, readImage } from "../../src/data/index.ts";
import { folder, whole } from "../../src/options/kinds.ts";
import { crop, type Damage, damageOf, type Image, toRgb } from "../../src/picture/index.ts";
import { markdownTable } from "../../src/report/table.ts";
import { signsOf } from "../../src/upscale/choice.ts";
import { drawnPictures } from "./drawn.ts";
import { writeSection } from "./page.ts";

type Change = (image: Image, index: number) => Promise<Image>;

const by =
  (step: Omit<Degradation, "seed" | "shrink">): Change =>
  async (image, seed) =>
    degrade(image, 1, { shrink: "bicubic", ...step, seed });
const blur = (sigma: number) => by({ blur: { sigma, sigma2: sigma, angle: 0 } });

/** What is done to clean pictures. JPEG is decoded again: only the pixels tell. */
const changes: Readonly<Record<string, Change>> = {
  ...Object.fromEntries([30, 40, 60, 75, 80, 85, 90, 95].map((jpeg) => [`JPEG ${jpeg}`, by({ jpeg })])),
  "JPEG 75, cropped": async (image, i) => {
    const damaged = await by({ jpeg: 75 })(image, i);
    return crop(damaged, 3, 5, damaged.width - 3, damaged.height - 5);
  },
  ...Object.fromEntries([2, 4, 6, 10, 15, 25].map((noise) => [`noise ${noise}`, by({ noise })])),
  ...Object.fromEntries([0.6, 0.9, 1.2, 1.5, 2].map((sigma) => [`blur ${sigma}`, blur(sigma)])),
};

const command = defineCommand({
  about: `
Measures what damageOf() finds in clean pictures, and in the same pictures after JPEG, noise and blur,
and writes the table into docs/damage.md. Pictures that are drawn here, screenshots and comic pages,
count as clean ones, too.`,
  flags: {
    clean: { kind: folder, help: "folders of clean pictures, a row each", required: true, multiple: true },
    every: { kind: whole(1), help: "of each folder, one in so many is damaged as well; default: 5" },
  },
  operands: "clean",
  examples: [["Set5/HR bsds200 t91", "three folders"]],
  async run({ clean: folders, every = 5 }) {
    const rows: string[][] = [];
    const damaged: Image[] = [];
    const add = (name: string, damages: readonly Damage[]) => {
      rows.push(rowOf(name, damages));
      print(rows.at(-1)!.join("  "));
    };
    add(
      "drawn here",
      (await drawnPictures()).map((image) => damageOf(image)),
    );
    const cost = { ms: 0, pixels: 0, pictures: 0 };
    for (const path of folders) {
      const images: Image[] = [];
      for (const name of picturesIn(path, print).pictures) images.push(await readImage(name));
      const start = process.cpuUsage();
      const damages = images.map((image) => damageOf(image));
      const { user, system } = process.cpuUsage(start);
      cost.ms += (user + system) / 1e3;
      cost.pixels += images.reduce((sum, { width, height }) => sum + width * height, 0);
      cost.pictures += images.length;
      add(resolve(path).split(sep).slice(-2).join("/"), damages);
      damaged.push(
        ...images.filter((_, i) => i % every === 0 && signsOf(damages[i]).length === 0).map(toRgb),
      );
    }
    for (const [name, change] of Object.entries(changes)) {
      add(name, await Promise.all(damaged.map(async (image, i) => damageOf(await change(image, i)))));
    }
    print(
      `${(cost.ms / cost.pictures).toFixed(1)} ms a picture, ${((1e6 * cost.ms) / cost.pixels).toFixed(1)} ms a ` +
        "megapixel of processor time",
    );
    await writeSection(
      "estimates",
      `${markdownTable(header, rows)}\n\nThe damaged pictures were made from one in ${every} of the clean pictures ` +
        "above; those that show damage were left out.\nFigures are the median, and in brackets what nine tenths " +
        "of the pictures lie between.",
    );
  },
});

const header = ["pictures", "number", "show damage", "JPEG found", "quality", "noise, levels", "steepness"];

function rowOf(name: string, damages: readonly Damage[]): string[] {
  const share = (count: number) =>
    `${((100 * count) / damages.length).toFixed(count > 0 && count < damages.length ? 1 : 0)} %`;
  const qualities = damages.flatMap(({ jpegQuality }) => jpegQuality ?? []);
  return [
    name,
    `${damages.length}`,
    share(damages.filter((damage) => signsOf(damage).length > 0).length),
    share(qualities.length),
    spread(qualities, 0),
    spread(
      damages.map(({ noise }) => noise),
      1,
    ),
    spread(
      damages.flatMap(({ steepness }) => steepness ?? []),
      2,
    ),
  ];
}

/** "3.8 (3.6 to 4.2)" */
function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "-";
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))].toFixed(digits);
  return `${at(0.5)} (${at(0.05)} to ${at(0.95)})`;
}

process.exitCode = await run("npm run damage:estimates --", command, process.argv.slice(2));
