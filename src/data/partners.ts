/** Which small picture belongs to which large one, by their names: one rule for all that read pairs. */
import { stemOf } from "./formats.ts";
import { sameFile } from "./same-file.ts";

/**
 * For each large picture the small ones that are named after it: with the same name, or with one that ends in
 * the scale, in a mark for small pictures, or in both. At scale 2 these belong to baby.png:
 *
 *     baby.png   babyx2.png   baby_x2.png   babyX2.png   baby_LR.png   baby_LRBI_x2.png   baby_bicLRx2.png
 *     babyx2m.png (DIV2K's tracks: m, d, and w with a number)
 *
 * and to baby_HR.png or baby_GT.png the same and those named after it (baby_HRx2.png). Extensions do not
 * matter, nor how accents are encoded: macOS takes them apart.
 */
export function partnersOf(
  large: readonly string[],
  small: readonly string[],
  scale: number,
): (readonly string[])[] {
  const times = `x${scale}(?:[md]|w\\d*)?`;
  const mark = "(?:bic)?LR(?:BI|BD|DN)?|bicubic";
  const ending = new RegExp(`^(?:[-_. ]?(?:${mark}))?(?:[-_. ]?${times})?$`, "i");
  const named = small.map((path) => ({ path, name: nameOf(path) }));
  return large.map((path) => {
    const name = nameOf(path);
    const stems = [name, name.replace(largeMark, "")];
    return named
      .filter((other) =>
        stems.some((stem) => other.name.startsWith(stem) && ending.test(other.name.slice(stem.length))),
      )
      .map((other) => other.path)
      .filter((other) => !sameFile(path, other)); // large and small ones may be in one folder
  });
}

/** Is a picture of a folder the small one of another there: img_LR.png beside img_HR.png? */
export function smallOnesAmong(pictures: readonly string[]): string[] {
  const names = new Set(pictures.map((path) => nameOf(path).toUpperCase()));
  return pictures.filter((path) => {
    const large = nameOf(path)
      .toUpperCase()
      .replace(/([-_. ])LR$/, "$1HR");
    return large !== nameOf(path).toUpperCase() && names.has(large);
  });
}

const largeMark = /[-_. ](?:HR|GT)$/i;

/** Without extension, and with every accent in one code point with its letter. */
function nameOf(path: string): string {
  return stemOf(path).normalize("NFC");
}
