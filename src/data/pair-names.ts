/**
 * What tells the names of a pair's pictures apart, by the habits of those who publish pairs. The page knows pairs by
 * this, too, so the file needs nothing of Node's.
 */

/** A pattern for all scales. */
export const anyScale = "[12348]";

/**
 * How sure a mark is: "LR" and "x2" are hardly ever a part of a picture's own name; "small" and "input", or "x2" in
 * front of a name, may be; and "bicubic" alone stands for LR only where LR has a folder of its own, as beside HR it
 * names a result.
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
/** In front of a name, "low" and "high" alone are words of its own: low_tide. */
const inFront = (words: string) => words.replace(resolution, resolution.slice(0, -1));

/** @param scale a number, or a pattern for one. */
export function marksFor(scale: string, sure: Sureness): Marks {
  const { times, low, bicubic, lowFirst, high, highFirst } = partsFor(scale, sure);
  const isLow = (order: string) => sure === "bicubic" || order.includes(low) || !order.endsWith(bicubic);
  const lowAfter = ordersOf([times, low, bicubic]).filter(isLow);
  const ofScale1 = scale === "1" ? "" : `|${apart("x1")}`; // DRealSR calls its HR pictures so
  return {
    lowBefore: new RegExp(`^${ahead(lowFirst)}+`, "i"),
    lowAfter: new RegExp(`^(?:${lowAfter.join("|")})$`, "i"),
    highBefore: new RegExp(`^${ahead(`(?:${highFirst})(?:${between}?x${scale})?`)}`, "i"),
    highAfter: new RegExp(`(?:(?:${times})?${apart(high)}(?:${times})?${ofScale1})$`, "i"),
  };
}

/** Patterns of single marks; `lowFirst`, `high` and `highFirst` are without what sets them apart. */
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
    lowFirst: or(`${sureLow}(?:${between}?x?${scale})?`, `${degradations}|${alone}|${inFront(lowWords)}`),
    high: or(sureHigh, highWords),
    highFirst: or(sureHigh, inFront(highWords)),
  };
}

const markOfLow = new RegExp(
  `(?:${between}SRF_?${anyScale})?${apart(`${sureLow}(?:${between}?x?${anyScale})?`)}` +
    `(?:${between}?(?:x${anyScale}|${anyScale}x|bicubic))*$`,
  "i",
);
/** What data sets alone write: a scale, or how LR was made. */
const ofDataSet = new RegExp(`x${anyScale}|${anyScale}x|SRF|L[RQ](?:BI|BD|DN|DS|bic)|bic`, "i");

/**
 * Is it the name of an LR picture, whatever lies beside it? "certain": as data sets have them, such as "img_LRBI_x2" or
 * "img_SRF_2_LR". "likely": such as "img_LR", which may also say that it comes from Lightroom.
 */
export function isNameOfLow(name: string): "certain" | "likely" | undefined {
  const [mark] = markOfLow.exec(name) ?? [];
  if (mark === undefined) return undefined;
  return ofDataSet.test(mark) ? "certain" : "likely";
}

/** A name, which has no extension, without all that tells a pair's pictures apart, at any scale. */
export function withoutMarks(name: string): string {
  const { lowBefore, highBefore, highAfter } = marksFor(anyScale, "bicubic");
  const { times, low, bicubic } = partsFor(anyScale, "bicubic");
  const ending = new RegExp(`(?:${times}|${low}|${bicubic})$`, "i");
  const shorter = [lowBefore, highBefore, highAfter, ending]
    .map((mark) => name.replace(mark, ""))
    .find((one) => one !== name);
  return shorter ? withoutMarks(shorter) : name;
}

/** Some of the parts, or all or none, one after the other, in every order. */
function ordersOf(parts: readonly string[]): string[] {
  return [
    "",
    ...parts.flatMap((part) => ordersOf(parts.filter((other) => other !== part)).map((rest) => part + rest)),
  ];
}
