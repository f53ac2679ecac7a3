/** A short run of the fuzzer; `npm run test:soak -- fuzz-safetensors` and the like run it longer. */
import { expect, test } from "vitest";
import { limitsOf } from "../scripts/soak/support/limits.ts";
import { SoakRun } from "../scripts/soak/support/soak.ts";
import { Random } from "../src/tensor/random.ts";
import { Fuzzer, type Target } from "./support/fuzz/fuzz.ts";
import { targets } from "./support/fuzz/targets.ts";

test.each(targets.map((target) => [target.name, target] as const))("%s", async (_, target) => {
  // Inputs to begin with are right, by and large: from wrong ones, changes lead nowhere.
  const seeds = await target.seeds();
  let accepted = 0;
  for (const seed of seeds) {
    try {
      await target.parse(seed);
      accepted++;
    } catch {} // one that is close to right
  }
  expect(accepted).toBeGreaterThanOrEqual(seeds.length / 2);
  const fuzzer = await Fuzzer.start(target);
  const random = new Random(1);
  try {
    for (let i = 0; i < 300; i++) await fuzzer.step(random);
  } finally {
    await fuzzer.stop();
  }
  expect(fuzzer.corpus).toBeGreaterThan(0);
});

const careless: Target = {
  name: "careless",
  seeds: () => [Buffer.from("[1, 2, 3]")],
  parse: (input) => JSON.parse(Buffer.from(input).toString()).length,
  refuses: () => false,
  budget: 2 ** 26,
  words: ["null"],
};

test("a parser that breaks is noticed, with the input", async () => {
  const fuzzer = await Fuzzer.start(careless);
  const random = new Random(1);
  const tries = async () => {
    for (let i = 0; i < 100; i++) await fuzzer.step(random);
  };
  await expect(tries()).rejects.toThrow(/SyntaxError[\s\S]*Input: /);
  await fuzzer.stop();
});

test.each([0, 7, Math.floor(Date.now() / 1000), 2 ** 40])(
  "a soak's tries differ, from the seed %d",
  (seed) => {
    const firsts = (from: number) => {
      const limits = { tries: 3000, seconds: 60, seed, from, adapter: "cpu" };
      return Array.from(new SoakRun(limits, "", () => {}).tries(), ({ random }) => random.next());
    };
    const all = firsts(0);
    expect(new Set(all).size).toBeGreaterThan(2990); // two may begin with the same number by chance
    expect(firsts(2990).slice(0, 10)).toEqual(all.slice(2990)); // --from makes a try again
  },
);

test("the limits of a long test: tries, or time, or what the module says", () => {
  expect(limitsOf({ seed: 7 }, 50)).toEqual({ tries: 50, seconds: Infinity, seed: 7, from: 0 });
  expect(limitsOf({ seed: 7, seconds: 60 }, 50)).toMatchObject({ tries: Infinity, seconds: 60 });
  expect(limitsOf({ seed: 7, tries: 3, seconds: 60 }, 50)).toMatchObject({ tries: 3, seconds: 60 });
});
