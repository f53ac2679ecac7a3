/**
 * What Vitest runs before each test file: typed arrays are equal if all their numbers are, and NaN and the sign of
 * zero count, as they do without this. Vitest looks at each number as at any value, which takes it a thousand times
 * as long; pictures and weights have many numbers.
 */
import { expect } from "vitest";

type Numbers = ArrayLike<number> & ArrayBufferView;

expect.addEqualityTesters([
  (a, b) => {
    if (!isNumbers(a) || !isNumbers(b) || a.constructor !== b.constructor) return undefined; // Vitest decides
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) {
      // Object.is, but for most numbers quicker.
      if (!(a[i] === b[i] && a[i] !== 0) && !Object.is(a[i], b[i])) return false;
    }
    return true;
  },
]);

function isNumbers(value: unknown): value is Numbers {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
