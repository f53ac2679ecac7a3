import { readdirSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { DataError } from "../picture/errors.ts";
import { type DegradationOptions, drawDegradation } from "./degrade.ts";
import { filePairs, type PairDataset, type PairFormat, pairFormat } from "./pairs.ts";

const extensions = [".png", ".jpg", ".jpeg", ".webp"];

/**
 * Pictures of one's own as HR; the LR partners are made when loaded, by Matlab's bicubic or by `degradation`, which is
 * drawn for each picture from its place in the list; `files` of the result says what was drawn. A string is a folder,
 * whose PNG, JPEG and WebP files are taken in the order of their names (subfolders are not searched); a list is the
 * files themselves. `colors` ("rgb") and `inputSize` ("lr") are those of PairFormat.
 *
 * @throws DataError if the folder is missing or has no pictures, or a listed file is missing.
 */
export function openFolder(
  folderOrFiles: string | readonly string[],
  options: Partial<PairFormat> & { scale: number; degradation?: DegradationOptions },
): PairDataset {
  const { degradation } = options;
  const format = pairFormat(options);
  const isFolder = typeof folderOrFiles === "string";
  const paths = isFolder ? picturesIn(folderOrFiles) : folderOrFiles;
  if (paths.length === 0) throw new DataError("openFolder: the list of files is empty; name at least one.");
  const missing = paths.find((path) => !statSync(path, { throwIfNoEntry: false })?.isFile());
  if (missing !== undefined) throw new DataError(`${missing}: there is no such file. Check the path.`);

  const files = paths.map((path, i) => ({
    name: basename(path, extname(path)),
    hr: path,
    ...(degradation && { degradation: drawDegradation(degradation, i) }),
  }));
  const name = isFolder ? basename(folderOrFiles) : `${files.length} pictures`;
  return filePairs(`${name} X${format.scale}`, format, files);
}

function picturesIn(folder: string): string[] {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) throw new DataError(`${folder}: there is no such folder. Check the path.`);
  if (!stat.isDirectory()) {
    throw new DataError(`${folder}: this is a file, not a folder; pass a list to open single files.`);
  }
  const pictures = readdirSync(folder)
    .filter((file) => extensions.includes(extname(file).toLowerCase()))
    .sort()
    .map((file) => join(folder, file));
  if (pictures.length === 0) {
    throw new DataError(`${folder}: there are no pictures (${extensions.join(", ")}) in this folder.`);
  }
  return pictures;
}
