/**
 * What tells the names of a pair's pictures apart, by the habits of those who publish pairs. The page knows pairs by
 * this, too, so the file needs nothing of Node's.
 */

/** A pattern for all scales. */
export const anyScale = "[12348]";

/**
 * How sure a mark is: "LR" and "x2" are hardly ever a part of a picture's own name; "small" and "input" may be; and
 * "bicubic" alone stands for LR only where LR has a folder of its own, as beside HR it names a result.
 */
export const sureness = ["sure", "words", "bicubic"] as const;

export type Sureness = (typeof sureness)[number];

/** Patterns of marks. Names have no extension here. */
export interface Marks {
  /** What an LR picture's name has before that of its HR picture. */
  readonly lowBefore: RegExp;
  /** All of what follows. */
  readonly lowAfter: RegExp;
  /** The same of an HR picture, before and after what both have in common. */
  readonly highBefore: RegExp;
  readonly highAfter: RegExp;
}

const between = "[-_. ]";
/** A mark of its own: after something that sets it apart, or in parentheses. */
const apart = (mark: string) => `(?:${between}(?:${mark})|${between}?\\((?:${mark})\\))`;
/** The same at the beginning of a name. */
const ahead = (mark: string) => `(?:(?:${mark})${between}|\\((?:${mark})\\)${between}?)`;
const resolution = `(?:${between}?res(?:olution)?)?`;

const sureLow = "(?:bic)?L[RQ](?:BI|BD|DN|DS|bic)?";
/** Bicubic, blur and bicubic, noise, or any shrinking: LR by what was done to it. */
const degradations = "BI|BD|DN|DS";
const lowWords = `low${resolution}|small|input`;
const sureHigh = "HR|HQ|GT";
const highWords = `high${resolution}|target|ground${between}?truth`;

/** @param scale a number, or a pattern for one. */
export function marksFor(scale: string, sure: Sureness): Marks {
  const { times, low, bicubic, lowFirst, high } = partsFor(scale, sure);
  const isLow = (order: string) => sure === "bicubic" || order.includes(low) || !order.endsWith(bicubic);
  const lowAfter = ordersOf([times, low, bicubic]).filter(isLow);
  const ofScale1 = scale === "1" ? "" : `|${apart("x1")}`; // DRealSR calls its HR pictures so
  return {
    lowBefore: new RegExp(`^${ahead(lowFirst)}+`, "i"),
    lowAfter: new RegExp(`^(?:${lowAfter.join("|")})$`, "i"),
    highBefore: new RegExp(`^${ahead(`(?:${high})(?:${between}?x${scale})?`)}`, "i"),
    highAfter: new RegExp(`(?:(?:${times})?${apart(high)}(?:${times})?${ofScale1})$`, "i"),
  };
}

/** Patterns of single marks; `lowFirst` and `high` are without what sets them apart. */
function partsFor(scale: string, sure: Sureness) {
  const or = (some: string, words: string) => (sure === "sure" ? some : `${some}|${words}`);
  const alone = `(?:x${scale}|${scale}x)`;
  const glued = `${between}?x${scale}|${between}${scale}x|${between}SRF_?${scale}`;
  return {
    times: `(?:(?:${glued})(?:[md]|w\\d*)?|${between}?\\(${alone}\\))`, // m, d and w: DIV2K's tracks
    low:
      `(?:${between}?${sureLow}(?:${between}?${scale})?|${apart(or(`${sureLow}|${degradations}`, lowWords))}` +
      `|(?:${degradations})(?=${between}?x${scale}))`,
    bicubic: `(?:${between}?bicubic|${between}?\\(bicubic\\))`,
    lowFirst: or(`${sureLow}(?:${between}?x?${scale})?|${degradations}|${alone}`, lowWords),
    high: or(sureHigh, highWords),
  };
}

const unmistakable = new RegExp(
  `${apart(`${sureLow}(?:${between}?x?${anyScale})?`)}(?:${between}?(?:x${anyScale}|${anyScale}x|bicubic))*$`,
  "i",
);

/** Is it the name of an LR picture, whatever lies beside it, such as "img_LR" or "img_LRBI_x2"? */
export function isNameOfLow(name: string): boolean {
  return unmistakable.test(name);
}

/** A name, which has no extension, without all that tells a pair's pictures apart, at any scale. */
export function withoutMarks(name: string): string {
  const { lowBefore, highBefore, highAfter } = marksFor(anyScale, "bicubic");
  const { times, low, bicubic } = partsFor(anyScale, "bicubic");
  const ending = new RegExp(`(?:${times}|${low}|${bicubic})$`, "i");
  const shorter = [lowBefore, highBefore, highAfter, ending]
    .map((mark) => name.replace(mark, ""))
    .find((one) => one !== name);
  return shorter === undefined ? name : withoutMarks(shorter);
}

/** Some of the parts, or all or none, one after the other, in every order. */
function ordersOf(parts: readonly string[]): string[] {
  return [
    "",
    ...parts.flatMap((part) => ordersOf(parts.filter((other) => other !== part)).map((rest) => part + rest)),
  ];
}
