/**
 * A fuzzer: files are mutated again and again, and what a parser does with them is watched. It is guided by
 * coverage: an input that reaches code which none before has reached is mutated further. V8 itself counts what
 * was reached, so that the parsers run as they are.
 */
import { Session } from "node:inspector/promises";
import type { Random } from "../../../src/tensor/random.ts";

/** A parser, and what it may do. */
export interface Target {
  readonly name: string;
  /** Right inputs to begin with. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Throws for what it refuses. */
  parse(input: Uint8Array): unknown;
  /** Is this how it refuses input, and not how it breaks? */
  refuses(error: Error): boolean;
  /** How much memory of the process one input may take at most, in bytes. */
  readonly budget: number;
  /** Texts that are worth inserting: words of the format. */
  readonly words: readonly string[];
}

/** More processor time than any of these inputs may take, in milliseconds. */
const LIMIT_MS = 2000;

/** Inputs between two looks at the coverage: a look takes longer than a parser. */
const ROUND = 20;

export class Fuzzer {
  readonly target: Target;
  readonly #corpus: Uint8Array[];
  readonly #session = new Session();
  readonly #reached = new Set<string>();
  #round: Uint8Array[] = [];
  accepted = 0;
  slowest = 0;

  private constructor(target: Target, corpus: Uint8Array[]) {
    this.target = target;
    this.#corpus = corpus;
  }

  static async start(target: Target): Promise<Fuzzer> {
    const fuzzer = new Fuzzer(target, [...(await target.seeds())]);
    fuzzer.#session.connect();
    await fuzzer.#session.post("Profiler.enable");
    await fuzzer.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
    // What right inputs reach is nothing new.
    for (const seed of fuzzer.#corpus) await fuzzer.#run(seed);
    await fuzzer.#look();
    return fuzzer;
  }

  /** How many inputs reached something new, and those to begin with. */
  get corpus(): number {
    return this.#corpus.length;
  }

  /** One mutated input. Throws an Error that says what the parser did wrong, with the input in base64. */
  async step(random: Random): Promise<void> {
    const input = mutate(this.#corpus, this.target.words, random);
    try {
      await this.#run(input);
    } catch (error) {
      const { stack } = error as Error;
      throw new Error(`${stack}\nInput: ${Buffer.from(input.subarray(0, 4000)).toString("base64")}`);
    }
    this.#round.push(input);
    if (this.#round.length === ROUND) await this.#look();
  }

  async #run(input: Uint8Array): Promise<void> {
    const { parse, refuses, budget } = this.target;
    const peak = process.resourceUsage().maxRSS;
    const start = process.cpuUsage();
    try {
      await parse(input);
      this.accepted++;
    } catch (error) {
      if (!refuses(error as Error)) throw error;
      const { message } = error as Error;
      if (hasControls(message))
        throw new Error(`The message has control characters: ${JSON.stringify(message)}`);
    }
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1e3; // of other programs, the clock would know as well
    this.slowest = Math.max(this.slowest, ms);
    if (ms > LIMIT_MS) throw new Error(`It took ${ms.toFixed(0)} ms.`);
    const grown = 1024 * (process.resourceUsage().maxRSS - peak);
    if (grown > budget) throw new Error(`It took ${(grown / 2 ** 20).toFixed(0)} MiB.`);
  }

  /** Keeps the inputs of a round if they reached something new. */
  async #look(): Promise<void> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const before = this.#reached.size;
    for (const { url, functions } of result) {
      if (!url.includes("/src/")) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#reached.add(`${url}:${startOffset}-${endOffset}`);
        }
      }
    }
    // One of them did; the others cost little.
    if (this.#reached.size > before && this.#round.length > 0) this.#corpus.push(...this.#round.slice(-4));
    this.#round = [];
  }

  async stop(): Promise<void> {
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }
}

/** Line feeds have a place in some messages. */
function hasControls(message: string): boolean {
  return /\p{Cc}/u.test(message.replaceAll("\n", ""));
}

/** A copy of one of the inputs with one to eight changes. */
export function mutate(corpus: readonly Uint8Array[], words: readonly string[], random: Random): Uint8Array {
  let bytes = corpus[random.int(corpus.length)];
  const changes = 1 + random.int(8);
  for (let i = 0; i < changes; i++) bytes = change(bytes, corpus, words, random);
  return bytes;
}

const NUMBERS = [
  "-1",
  "0",
  "1",
  "255",
  "65536",
  "2147483648",
  "4294967295",
  "9007199254740993",
  "1e308",
  "0.5",
];

function change(
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array {
  const at = random.int(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.int(1 << random.int(10)));
  const replaced = (part: Uint8Array, to = at) =>
    Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(to)]);
  switch (random.int(9)) {
    case 0: {
      const copy = Uint8Array.from(bytes);
      if (at < copy.length) copy[at] ^= 1 << random.int(8);
      return copy;
    }
    case 1:
      return replaced(Uint8Array.of(random.int(256)), Math.min(bytes.length, at + 1));
    case 2: // removed
      return replaced(new Uint8Array(0), end);
    case 3: // twice
      return bytes.length > 1e5 ? bytes : replaced(bytes.subarray(at, end));
    case 4: // cut short
      return bytes.subarray(0, at);
    case 5: {
      const other = corpus[random.int(corpus.length)];
      const from = random.int(other.length + 1);
      return bytes.length > 1e5 ? bytes : replaced(other.subarray(from, from + (end - at)), end);
    }
    case 6: {
      // A number that is written in digits.
      const text = Buffer.from(bytes).toString("latin1");
      const digits = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
      if (digits.length === 0) return bytes;
      const { 0: old, index } = digits[random.int(digits.length)];
      const number = NUMBERS[random.int(NUMBERS.length)];
      return Buffer.from(text.slice(0, index) + number + text.slice(index + old.length), "latin1");
    }
    case 7: {
      const word = words[random.int(words.length)];
      return replaced(Buffer.from(word, "latin1"), random.int(2) === 0 ? at : end);
    }
    default: {
      // A number in bytes.
      if (bytes.length < 8) return bytes;
      const copy = Uint8Array.from(bytes);
      const view = new DataView(copy.buffer);
      const values = [0, 1, 0x7fffffff, 0xffffffff, bytes.length, 0x10000];
      view.setUint32(random.int(bytes.length - 3), values[random.int(values.length)], random.int(2) === 0);
      return copy;
    }
  }
}
