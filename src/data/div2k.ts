import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "./errors.ts";
import { filePairs, type PairDataset, type PairFormat, pairFormat } from "./pairs.ts";

/**
 * DIV2K (Agustsson and Timofte, NTIRE 2017) with the bicubic LR pictures that come with it, as its archives unpack:
 *
 *     root/DIV2K_train_HR/0001.png           root/DIV2K_train_LR_bicubic/X2/0001x2.png
 *     root/DIV2K_valid_HR/0801.png           root/DIV2K_valid_LR_bicubic/X2/0801x2.png
 *
 * The pairs are those in the HR folder, in the order of their names. `colors` ("rgb") and `inputSize` ("lr") are those
 * of PairFormat.
 *
 * @throws DataError if a folder is missing or empty, or an HR picture has no LR partner. The pictures themselves
 *   are read, and their sizes compared, when they are loaded.
 */
export function openDiv2k(
  root: string,
  options: Partial<PairFormat> & { split: "train" | "valid"; scale: number },
): PairDataset {
  const { split, scale } = options;
  const format = pairFormat(options);
  const hrFolder = join(root, `DIV2K_${split}_HR`);
  const lrFolder = join(root, `DIV2K_${split}_LR_bicubic`, `X${scale}`);
  for (const folder of [hrFolder, lrFolder]) {
    if (!existsSync(folder)) {
      throw new DataError(
        `${folder}: there is no such folder. Unpack DIV2K_${split}_HR.zip and ` +
          `DIV2K_${split}_LR_bicubic_X${scale}.zip (data.vision.ee.ethz.ch/cvl/DIV2K) in ${root}.`,
      );
    }
  }

  const names = readdirSync(hrFolder)
    .filter((file) => file.endsWith(".png"))
    .map((file) => file.slice(0, -".png".length))
    .sort();
  if (names.length === 0) throw new DataError(`${hrFolder}: there are no PNG files in this folder.`);

  const files = names.map((name) => ({
    name,
    lr: join(lrFolder, `${name}x${scale}.png`),
    hr: join(hrFolder, `${name}.png`),
  }));
  const lonely = files.filter(({ lr }) => !existsSync(lr));
  if (lonely.length > 0) {
    throw new DataError(
      `${lonely.length} of ${files.length} pictures in ${hrFolder} have no small version, the first being ` +
        `${lonely[0].lr}. Unpack the LR archive again, or move the HR pictures away.`,
    );
  }
  return filePairs(`DIV2K ${split} X${scale}`, format, files);
}
