/** Which LR picture belongs to which HR picture, by their names: one rule for all that read pairs. */
import { stemOf } from "./formats.ts";
import { sameFile } from "./same-file.ts";

/**
 * For each HR picture the LR pictures that are named after it: with the same name, or with a name that ends
 * in the scale, in a mark for small pictures, or in both. At scale 2 these belong to baby.png:
 *
 *     baby.png   babyx2.png   baby_x2.png   babyX2.png   baby_LR.png   baby_LRBI_x2.png   baby_bicLRx2.png
 *     babyx2m.png (DIV2K's tracks: m, d, and w with a number)
 *
 * and to baby_HR.png or baby_GT.png the same ones and those named after it (baby_HRx2.png). Extensions do not
 * matter, nor how accents are encoded: macOS separates them from their letters.
 */
export function partnersOf(
  high: readonly string[],
  low: readonly string[],
  scale: number,
): (readonly string[])[] {
  const times = `x${scale}(?:[md]|w\\d*)?`;
  const mark = "(?:bic)?LR(?:BI|BD|DN)?|bicubic";
  const ending = new RegExp(`^(?:[-_. ]?(?:${mark}))?(?:[-_. ]?${times})?$`, "i");
  const candidates = low.map((path) => ({ path, name: nameOf(path) }));
  return high.map((path) => {
    const name = nameOf(path);
    const stems = [name, name.replace(/[-_. ](?:HR|GT)$/i, "")];
    return candidates
      .filter((other) =>
        stems.some((stem) => other.name.startsWith(stem) && ending.test(other.name.slice(stem.length))),
      )
      .map((other) => other.path)
      .filter((other) => !sameFile(path, other)); // all pictures may be in one folder
  });
}

/** The pictures whose HR picture is in the list, too: img_LR.png beside img_HR.png. */
export function lowOnesAmong(pictures: readonly string[]): string[] {
  const upper = (path: string) => nameOf(path).toUpperCase();
  const names = new Set(pictures.map(upper));
  return pictures.filter((path) => {
    const high = upper(path).replace(/([-_. ])LR$/, "$1HR");
    return high !== upper(path) && names.has(high);
  });
}

/** Without extension, and with every accent in one code point with its letter. */
function nameOf(path: string): string {
  return stemOf(path).normalize("NFC");
}
