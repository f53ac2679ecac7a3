/**
 * What the names of a pair's pictures end in, by the habits of those who publish pairs. The page knows pairs by
 * this, too, so the file needs nothing of Node's.
 */

/** A pattern for all scales. */
export const anyScale = "[12348]";

export interface Endings {
  /** An LR picture's, after the name of its HR picture. */
  readonly low: RegExp;
  /** An HR picture's own. */
  readonly high: RegExp;
}

/** @param scale a number, or a pattern for one. */
export function endingsFor(scale: string): Endings {
  const { times, low: mark, bicubic, high } = partsFor(scale);
  // "baby_bicubic.png" and "baby_SRF_2_bicubic.png" are as large as HR: results of bicubic interpolation.
  const isLow = (order: string) => order.includes(mark) || !order.endsWith(bicubic);
  const low = ordersOf([times, mark, bicubic]).filter(isLow);
  return {
    low: new RegExp(`^(?:${low.join("|")})$`, "i"),
    high: new RegExp(`(?:${times})?${high}(?:${times})?$`, "i"),
  };
}

/** A name, which has no extension, without all that tells a pair's pictures apart, at any scale. */
export function withoutEndings(name: string): string {
  const ending = new RegExp(`(?:${Object.values(partsFor(anyScale)).join("|")})$`, "i");
  const shorter = name.replace(ending, "");
  return shorter === name ? name : withoutEndings(shorter);
}

/** Patterns of the parts of endings. */
function partsFor(scale: string) {
  const between = "[-_. ]";
  return {
    times: `(?:${between}?x${scale}|${between}${scale}x|${between}SRF_?${scale})(?:[md]|w\\d*)?`,
    low: `(?:${between}?(?:bic)?LR(?:BI|BD|DN|bic)?(?:${between}?${scale})?|${between}(?:BI|BD|DN))`,
    bicubic: `${between}?bicubic`,
    high: `${between}(?:HR|GT)`,
  };
}

/** Some of the parts, or all or none, one after the other, in every order. */
function ordersOf(parts: readonly string[]): string[] {
  return [
    "",
    ...parts.flatMap((part) => ordersOf(parts.filter((other) => other !== part)).map((rest) => part + rest)),
  ];
}
