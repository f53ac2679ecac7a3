/** Which LR picture belongs to which HR picture, by their names: one rule for all that read pairs. */
import { dirname, extname } from "node:path";
import { repeated, stemOf } from "../files/names.ts";
import { pixelCountOf } from "../files/pixel-count.ts";
import { sameFile } from "../files/same-file.ts";
import { addTo, andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { anyScale, type Marks, marksFor, type Sureness, sureness } from "./pair-names.ts";

/** Scales at which an LR picture is smaller. */
const largerScales = "[2348]";

/**
 * For each HR picture the LR pictures that are named after it: with the same name, or with a mark before or behind it,
 * or several behind it in any order. A mark is the scale (at scale 2: x2, 2x, X2, SRF_2, x2m of DIV2K's tracks), LR or
 * LQ (also LRBI, bicLR, LR2), what was done to it (BI, BD, DN, DS), a word (low, lowres, small, input), or "bicubic"
 * beside another mark. It follows - or _ or . or a space, or is in parentheses:
 *
 *     baby.png   babyx2.png   baby_2x.png   baby_LR.png   baby_LRBI_x2.png   baby_bicLRx2.png   babyBIx2.png
 *     baby_LR_bicubic_x2.png   baby_SRF_2_LR.png   baby (LR).png   LR_baby.png   x2_baby.png   baby_small.png
 *
 * An HR picture may have a mark, too: HR, HQ, GT, high, highres, target, "ground truth", or x1 behind its name. The
 * same LR pictures belong to baby_HR.png or HR_baby.png, and those named after them (baby_HRx2.png).
 *
 * Equal names go first, whatever they mean, and a picture's whole name goes before what is left of another one's
 * without its marks. Words, and marks in front of a name other than LR, count where an HR picture has no other partner;
 * then "bicubic" alone, if LR has a folder of its own. Extensions do not matter, unless HR has a.jpg and a.png; nor how
 * accents are encoded: macOS separates them from their letters. A name in another case counts where no other has the
 * same case.
 */
export function partnersOf(
  high: readonly string[],
  low: readonly string[],
  scale: number,
): (readonly string[])[] {
  const names = high.map(nameOf);
  const twins = repeated(names);
  const partners: string[][] = names.map(() => []);
  const taken = new Set<string>();
  /** What is found for each HR picture among the LR pictures that are left. */
  const roundOf = (sure: Sureness | undefined, anyCase: boolean): string[][] => {
    const marks = sure && marksFor(`${scale}`, sure);
    const asWritten = (name: string) => (anyCase ? name.toLowerCase() : name);
    // One that has a partner of its own name may have another one with a sure mark.
    const isOpen = (i: number) => partners[i].length === 0 || (sure === "sure" && !anyCase);
    const open = names.map((name, i) => (isOpen(i) ? asWritten(name) : undefined));
    const owners = ownersByStem(open, marks);
    const found: string[][] = names.map(() => []);
    for (const path of low.filter((one) => !taken.has(one))) {
      const name = asWritten(nameOf(path));
      for (const { i } of marks ? ownersOf(name, owners, marks) : (owners.get(name) ?? [])) {
        const isResult = sure === "bicubic" && dirname(path) === dirname(high[i]);
        if (!isResult && !sameFile(path, high[i])) found[i].push(path); // all pictures may be in one folder
      }
    }
    return found;
  };
  const rounds = [undefined, ...sureness].flatMap((sure) =>
    [false, true].map((anyCase) => ({ sure, anyCase })),
  );
  for (const { sure, anyCase } of rounds) {
    const found = roundOf(sure, anyCase);
    for (const [i, own] of found.entries()) {
      const alike = own.filter((path) => extname(path) === extname(high[i]));
      partners[i].push(...(twins.has(names[i]) && alike.length > 0 ? alike : own));
    }
    for (const path of found.flat()) taken.add(path);
  }
  return partners;
}

/** A picture of a folder that is a version of another one there. */
export interface Version {
  readonly path: string;
  readonly isLow: boolean;
}

/**
 * The pictures that are versions of others in the list: LR pictures by a mark of their own, as partnersOf knows them at
 * any scale; and where img_HR.png and img_LR.png are there, also img_bicubic.png and other methods' results. A word in
 * front of a name is a mark only if HR has one, too: small_dog.png beside dog.png may be another dog. A picture with
 * more pixels than those that it is named after is no small version of them: dog_2x.png may be the larger one.
 */
export function versionsAmong(pictures: readonly string[]): Version[] {
  const named = pictures.map((path) => ({ path, name: nameOf(path).toLowerCase() }));
  const list = named.map(({ name }) => name);
  const names = new Set(list);
  const [sure, words] = (["sure", "words"] as const).map((one) => {
    const marks = marksFor(largerScales, one);
    const owners = ownersByStem(list, marks);
    return (path: string, name: string) =>
      ownersOf(name, owners, marks).filter((owner) => owner.isMarked && !isLarger(path, pictures[owner.i]));
  });
  const high = ["hr", "hq", "gt"];
  const split = (name: string) => /^(.+)([-_. ])[a-z][^-_. ]*$/.exec(name) ?? [];
  return named.flatMap(({ path, name }) => {
    const isLow =
      sure(path, name).length > 0 ||
      words(path, name).some(({ isBehind, isWholeName }) => isBehind || !isWholeName);
    const [, base, separator] = split(name);
    const has = (mark: string) => names.has(base + separator + mark);
    const isHigh = high.some((mark) => name.endsWith(mark));
    const isResult = base !== undefined && high.some(has) && ["lr", "lq"].some(has) && !isHigh;
    return isLow || isResult ? [{ path, isLow }] : [];
  });
}

function isLarger(path: string, other: string): boolean {
  return (pixelCountOf(path) ?? 0) > (pixelCountOf(other) ?? Infinity);
}

/**
 * Where a folder has img_SRF_2_HR.png and img_SRF_3_HR.png, both show the same, each cut for its scale, and one
 * of them counts: that of the asked scale. Returns the others.
 *
 * @throws DataError if a picture is there for several scales, but not for this one.
 */
export function ofOtherScales(pictures: readonly string[], scale: number): string[] {
  const { highAfter } = marksFor(anyScale, "words");
  const groups = new Map<string, { readonly path: string; readonly scale: number | undefined }[]>();
  for (const path of pictures) {
    const name = nameOf(path).toLowerCase();
    const [ending] = highAfter.exec(name) ?? [];
    if (ending === undefined) continue;
    const base = name.slice(0, name.length - ending.length);
    const [digit] = /\d/.exec(ending) ?? [];
    addTo(groups, base, { path, scale: digit === undefined ? undefined : Number(digit) });
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

/** An HR picture by what its LR pictures may be named after. */
interface Stem {
  /** Its place in the list. */
  readonly i: number;
  /** The stem is its whole name, with all marks. */
  readonly isWholeName: boolean;
}

/** HR pictures by their names, and by these without marks. */
function ownersByStem(names: readonly (string | undefined)[], marks?: Marks): Map<string, Stem[]> {
  const owners = new Map<string, Stem[]>();
  for (const [i, name] of names.entries()) {
    if (name === undefined) continue;
    const { highBefore, highAfter } = marks ?? {};
    const ends = highBefore ? [name, name.replace(highBefore, "")] : [name];
    const stems = highAfter ? ends.flatMap((one) => [one, one.replace(highAfter, "")]) : ends;
    for (const stem of new Set(stems)) addTo(owners, stem, { i, isWholeName: stem === name });
  }
  return owners;
}

/** An HR picture that another one is named after. */
interface Owner extends Stem {
  /** The other one has a mark of its own. */
  readonly isMarked: boolean;
  /** It stands behind the name. */
  readonly isBehind: boolean;
}

/** The HR pictures that a name is named after, but has another name; if it has the whole name of some, these alone. */
function ownersOf(
  name: string,
  owners: ReadonlyMap<string, readonly Stem[]>,
  { lowBefore, lowAfter }: Marks,
): Owner[] {
  const rests = new Set([name, name.replace(lowBefore, "")]);
  const found = [...rests].flatMap((rest) =>
    beginningsOf(rest).flatMap((stem) => {
      const ending = rest.slice(stem.length);
      const own = owners.get(stem) ?? [];
      if (own.length === 0 || !lowAfter.test(ending)) return [];
      return own
        .filter(({ isWholeName }) => !(isWholeName && stem === name))
        .map((one) => ({ ...one, isMarked: stem !== name, isBehind: ending !== "" }));
    }),
  );
  const whole = found.filter(({ isWholeName }) => isWholeName);
  const best = new Map((whole.length > 0 ? whole : found).map((one) => [one.i, one]));
  return [...best.values()];
}

/** A name and all its beginnings. */
function beginningsOf(name: string): string[] {
  return Array.from({ length: name.length }, (_, i) => name.slice(0, i + 1));
}

/** Without extension, and with every accent in one code point with its letter. */
function nameOf(path: string): string {
  return stemOf(path).normalize("NFC");
}
