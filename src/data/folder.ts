import { basename } from "node:path";
import { namesOf, stemOf } from "../files/names.ts";
import { pathArgument } from "../files/path-of.ts";
import { describeLeftOut, picturesIn } from "../files/pictures-in.ts";
import { fileId, statsWithin } from "../files/same-file.ts";
import { ArgumentError, anything, checkArguments, isObject, listOf } from "../options/arguments.ts";
import { isOfClass } from "../options/classes.ts";
import { folder as aFolder, file, quote } from "../options/kinds.ts";
import { firstOf, quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { type DegradationOptions, drawDegradation } from "./degrade.ts";
import { isNameOfLow } from "./pair-names.ts";
import { filePairs, type PairDataset, type PairFormat, pairFormat } from "./pairs.ts";
import { ofOtherScales, versionsAmong } from "./partners.ts";

export interface FolderOptions extends Partial<PairFormat> {
  scale: number;
  /** How LR pictures are made. Default: Matlab's bicubic; at scale 1 there is no default. */
  degradation?: DegradationOptions;
  /** Called with a line that says what is left out of the folder, and why. */
  onLeftOut?: (line: string) => void;
}

const aList = { ...listOf(anything), wants: listOf(file).wants };

/**
 * Your own pictures as HR. Their LR partners are made when they are loaded, by Matlab's bicubic or by
 * `degradation`, which is drawn for each picture from its place in the list; `files` of the result says what
 * was drawn. (A PatchLoader draws it anew for each patch.)
 *
 * A string is a folder, whose pictures are taken in the order of their names: see picturesIn. Three kinds are left out:
 * an img_LR.png or imgx2.png beside its large picture (partnersOf has all such names), at scale 2 an img_SRF_3_HR.png
 * beside img_SRF_2_HR.png, and a second link to the same file. An img_LR.png or img_lq.png without a large picture is
 * refused. A list names the files themselves, by paths or URLs. No two pictures have the same name, unless a list has a
 * file twice: where stems are alike, names have the extension, and if need be folders. For `colors` (default "rgb")
 * and `inputSize` (default "low") see PairFormat.
 *
 * @throws RangeError at scale 1 without a degradation; DataError if the folder is missing or has no pictures, or a
 *   file of the list is missing, or a name in the folder is that of an LR picture.
 */
export function openFolder(
  folderOrFiles: string | URL | readonly (string | URL)[],
  options: FolderOptions,
): PairDataset {
  const format = pairFormat("openFolder", options, ["degradation", "onLeftOut"]);
  const { degradation, onLeftOut } = options;
  if (format.scale === 1 && degradation === undefined) {
    throw new ArgumentError(
      "openFolder",
      "at scale 1, LR pictures are as large as HR, and only a degradation tells them apart. Give one, " +
        "such as { seed: 0, noise: [1, 10], jpeg: [60, 95] } (on the command line: " +
        `--degradation '{"seed":0,"noise":10}').`,
    );
  }
  if (degradation !== undefined && !isObject(degradation)) {
    throw new ArgumentError(
      "openFolder",
      `degradation is an object such as { seed: 0, jpeg: 60 }, or degradationKind.read("jpeg:60"), got ` +
        `${quote(degradation)}.`,
    );
  }
  const isFolder = typeof folderOrFiles === "string" || isOfClass<URL>(folderOrFiles, "URL");
  if (!isFolder) checkArguments("openFolder", { "the first argument": [folderOrFiles, aList] });
  const folder = isFolder ? pathArgument("openFolder", "the first argument", folderOrFiles, aFolder) : "";
  const paths = isFolder
    ? highOnesIn(folder, format.scale, onLeftOut)
    : folderOrFiles.map((one) => pathArgument("openFolder", "a file of the list", one, file));
  if (paths.length === 0)
    throw new DataError("the list of files is empty; name at least one.", { caller: "openFolder" });
  const missing = paths.find((path) => !statsWithin(path)?.isFile());
  if (missing !== undefined) throw new DataError(`${missing}: there is no such file. Check the path.`);

  const names = namesOf(paths);
  const files = paths.map((path, i) => ({
    name: names[i],
    high: path,
    ...(degradation && {
      degradation: drawDegradation(degradation, i, format.scale),
      drawnFrom: degradation,
    }),
  }));
  const name = isFolder ? basename(folder) : quantity(files.length, "picture");
  return filePairs(`${name} X${format.scale}`, format, files);
}

/** The HR pictures of a folder, by name; versions of others are left out, as openFolder says. */
export function highFilesIn(
  folder: string,
  scale: number,
  onLeftOut?: FolderOptions["onLeftOut"],
): { readonly name: string; readonly high: string }[] {
  const paths = highOnesIn(folder, scale, onLeftOut);
  const names = namesOf(paths);
  return paths.map((high, i) => ({ name: names[i], high }));
}

/** The pictures of a folder without versions of others. */
function highOnesIn(folder: string, scale: number, onLeftOut: FolderOptions["onLeftOut"]): string[] {
  const { pictures } = picturesIn(folder, onLeftOut);
  const reasons = new Map(
    versionsAmong(pictures).map(({ path, isLow }) => [
      path,
      isLow ? "small version of another" : "other version of another",
    ]),
  );
  const others = pictures.filter((path) => !reasons.has(path));
  for (const path of ofOtherScales(others, scale)) reasons.set(path, `not for scale ${scale}`);
  const first = new Map<string, string>();
  for (const path of others) {
    const id = fileId(path);
    const same = first.get(id);
    if (same !== undefined) reasons.set(path, `the same file as ${basename(same)}`);
    else if (!reasons.has(path)) first.set(id, path);
  }
  const high = pictures.filter((path) => !reasons.has(path));
  const sureness = high.map((path) => isNameOfLow(stemOf(path)));
  const low = high.filter((_, i) => sureness[i]).map((path) => basename(path));
  // One that is likely among many others has somebody's own name.
  if (sureness.includes("certain") || low.length > high.length / 2) {
    throw new DataError(
      `${folder}: by ${low.length === 1 ? "its name" : "their names"}, ${firstOf(low)} ` +
        `${low.length === 1 ? "is a small version" : "are small versions"}, and HR pictures are wanted. The large ` +
        "ones are not beside them: name their folder, or rename the pictures if they are HR.",
    );
  }
  const leftOut = [...reasons].map(([path, why]) => ({ name: basename(path), why }));
  if (leftOut.length > 0) onLeftOut?.(describeLeftOut(folder, leftOut));
  return high;
}
