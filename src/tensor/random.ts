import { ArgumentError, checkArguments, instanceOf, type Wanted } from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";

/**
 * Seeded random numbers, the same on every machine. Generator: xoshiro128** 1.1 (Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators", 2021; https://prng.di.unimi.it), period 2^128 - 1. The
 * 128 bits of state are filled from the seed by SplitMix32, a Weyl sequence through the finalizer of
 * MurmurHash3, so that neighbouring seeds give unrelated streams.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param seed any safe integer; all 53 bits count. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) {
      throw new ArgumentError("Random", `the seed must be a whole number below 2^53, not ${quote(seed)}.`);
    }
    let weyl = (seed ^ mix(Math.floor(seed / 2 ** 32))) >>> 0;
    for (let i = 0; i < 4; i++) {
      weyl = (weyl + 0x9e3779b9) >>> 0;
      this.#state[i] = mix(weyl);
    }
  }

  /** A generator that continues from another one's `state()`. */
  static fromState(state: number[]): Random {
    const valid =
      Array.isArray(state) &&
      state.length === 4 &&
      state.every((v) => v === v >>> 0) &&
      state.some((v) => v !== 0);
    if (!valid) {
      throw new ArgumentError(
        "Random.fromState",
        `a state is four whole numbers of 32 bits, not all 0, as state() returns them; ` +
          `got ${quote(state)}.`,
      );
    }
    const random = new Random(0);
    random.#state.set(state);
    return random;
  }

  /** Four 32-bit numbers that decide everything that follows; fit for JSON. */
  state(): number[] {
    return [...this.#state];
  }

  /** Uniform whole number in 0 .. 2^32 - 1. */
  next(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), in steps of 2^-24, which single precision holds exactly: none rounds up to 1. */
  uniform(): number {
    return (this.next() >>> 8) / 2 ** 24;
  }

  /** Uniform whole number in 0 .. n - 1, without bias; 1 <= n <= 2^32. */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new ArgumentError("Random.int", `n must be a whole number in 1 .. 2^32, not ${quote(n)}.`);
    }
    // A draw from the last, incomplete run of n numbers would favour the small results: draw again.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = this.next();
    while (draw >= limit) draw = this.next();
    return draw % n;
  }

  /**
   * Standard normal (Box and Muller 1958). Drops the method's second value, so that the state stays small.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - u is never 0
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Puts the elements into random order, in place, every order equally likely (Fisher and Yates). */
  shuffle(array: { [index: number]: unknown; length: number }): void {
    checkArguments("shuffle", { "the first argument": [array, aList] });
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [array[i], array[j]] = [array[j], array[i]];
    }
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** fmix32, the finalizer of MurmurHash3 (Appleby, public domain): every input bit moves every output bit. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const aList: Wanted = {
  wants: "a list or a typed array",
  fits: (value): value is ArrayLike<unknown> =>
    Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value),
};

/** What checks of arguments ask of a generator. */
export const aRandom = instanceOf(Random, "a Random, such as new Random(1)");

let shared = new Random(0);

/** Seeds the default generator, which new layers draw their weights from. Until then its seed is 0. */
export function manualSeed(seed: number): Random {
  checkArguments("manualSeed", { "the seed": [seed, whole()] });
  shared = new Random(seed);
  return shared;
}

/** The generator of `manualSeed`. */
export function defaultRandom(): Random {
  return shared;
}
