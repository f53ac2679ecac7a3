/** Which LR picture belongs to which HR picture, by their names: one rule for all that read pairs. */
import { extname } from "node:path";
import { andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { repeated, stemOf } from "./formats.ts";
import { anyScale, type Endings, endingsFor } from "./pair-names.ts";
import { sameFile } from "./same-file.ts";

/**
 * For each HR picture the LR pictures that are named after it: with the same name, or with a name that ends
 * in the scale, in a mark for small pictures, or in both, and maybe in "bicubic", in any order. At scale 2 these
 * belong to baby.png:
 *
 *     baby.png   babyx2.png   baby_x2.png   babyX2.png   baby_2x.png   baby_LR.png   baby_LR2.png
 *     baby_LRBI_x2.png   baby_BI_x2.png   baby_x2_LR.png   baby_bicLRx2.png   baby_bicubic_x2.png
 *     baby_LR_bicubic_x2.png   baby_SRF_2_LR.png   babyx2m.png (DIV2K's tracks: m, d, and w with a number)
 *
 * and to baby_HR.png, baby_GT.png or baby_HR_x2.png the same ones and those named after it (baby_HRx2.png).
 * Extensions do not matter, unless HR has a.jpg and a.png; nor how accents are encoded: macOS separates them
 * from their letters. A name in another case counts where no other has the same case.
 */
export function partnersOf(
  high: readonly string[],
  low: readonly string[],
  scale: number,
): (readonly string[])[] {
  const endings = endingsFor(`${scale}`);
  const names = high.map(nameOf);
  const twins = repeated(names);
  const find = (among: readonly string[], asWritten: (name: string) => string) => {
    const candidates = among.map((path) => ({ path, name: asWritten(nameOf(path)) }));
    return names.map((name, i) => {
      const stems = [name, name.replace(endings.high, "")].map(asWritten);
      const own = candidates
        .filter((other) => stems.some((stem) => isLowOf(other.name, stem, endings)))
        .map(({ path }) => path)
        .filter((path) => !sameFile(path, high[i])); // all pictures may be in one folder
      const alike = own.filter((path) => extname(path) === extname(high[i]));
      return twins.has(name) && alike.length > 0 ? alike : own;
    });
  };
  const exact = find(low, (name) => name);
  const taken = new Set(exact.flat());
  const rest = low.filter((path) => !taken.has(path));
  const inAnyCase = find(rest, (name) => name.toLowerCase());
  return exact.map((paths, i) => (paths.length > 0 ? paths : inAnyCase[i]));
}

/** A picture of a folder that is a version of another one there. */
export interface Version {
  readonly path: string;
  readonly isLow: boolean;
}

/**
 * The pictures that are versions of others in the list: LR pictures, as partnersOf knows them at any scale;
 * and where img_HR.png and img_LR.png are there, also img_bicubic.png and other methods' results.
 */
export function versionsAmong(pictures: readonly string[]): Version[] {
  const endings = endingsFor(anyScale);
  const named = pictures.map((path) => ({ path, name: nameOf(path).toLowerCase() }));
  const names = new Set(named.map(({ name }) => name));
  const stems = new Set([...names].flatMap((name) => [name, name.replace(endings.high, "")]));
  const split = (name: string) => /^(.+)([-_. ])[a-z][^-_. ]*$/.exec(name) ?? [];
  return named.flatMap(({ path, name }) => {
    const isLow = prefixesOf(name).some((stem) => stems.has(stem) && isLowOf(name, stem, endings));
    const [, base, separator] = split(name);
    const has = (mark: string) => names.has(base + separator + mark);
    const isResult = base !== undefined && has("hr") && has("lr") && !name.endsWith("hr");
    return isLow || isResult ? [{ path, isLow }] : [];
  });
}

/**
 * Where a folder has img_SRF_2_HR.png and img_SRF_3_HR.png, both show the same, each cut for its scale, and one
 * of them counts: that of the asked scale. Returns the others.
 *
 * @throws DataError if a picture is there for several scales, but not for this one.
 */
export function ofOtherScales(pictures: readonly string[], scale: number): string[] {
  const { high } = endingsFor(anyScale);
  const groups = new Map<string, { readonly path: string; readonly scale: number | undefined }[]>();
  for (const path of pictures) {
    const name = nameOf(path).toLowerCase();
    const [ending] = high.exec(name) ?? [];
    if (ending === undefined) continue;
    const base = name.slice(0, name.length - ending.length);
    const [digit] = /\d/.exec(ending) ?? [];
    const own = { path, scale: digit === undefined ? undefined : Number(digit) };
    groups.set(base, [...(groups.get(base) ?? []), own]);
  }
  return [...groups.values()].flatMap((group) => {
    const scales = new Set(group.map((one) => one.scale));
    if (scales.size < 2) return [];
    const scaleToKeep = scales.has(scale) ? scale : undefined;
    if (!scales.has(scaleToKeep)) {
      const paths = group.map(({ path }) => path);
      throw new DataError(
        `${andList(paths)} show the same for other scales than ${scale}, each cut for its own, and only one may ` +
          "count. Move the others away, or choose one of their scales.",
      );
    }
    return group.filter((one) => one.scale !== scaleToKeep).map(({ path }) => path);
  });
}

function isLowOf(name: string, stem: string, { low }: Endings): boolean {
  return name.startsWith(stem) && low.test(name.slice(stem.length));
}

/** All proper beginnings of a name. */
function prefixesOf(name: string): string[] {
  return Array.from({ length: name.length - 1 }, (_, i) => name.slice(0, i + 1));
}

/** Without extension, and with every accent in one code point with its letter. */
function nameOf(path: string): string {
  return stemOf(path).normalize("NFC");
}
