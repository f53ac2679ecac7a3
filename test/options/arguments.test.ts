/** Objects of options: what is taken for one. */
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Conv2d, init, kaimingNormalInit, normalInit, Random, whiteningInit } from "../../src/node.ts";
import { checkOptions, finite } from "../../src/options/arguments.ts";

await init({ adapter: "cpu" });

const check = (options: unknown) => checkOptions("enlarge", options, { std: finite });

test("an object of a class without fields is none: all that it says would be ignored", () => {
  const sentence = (what: string) => `enlarge: options are an object with std, got ${what}.`;
  expect(() => check(new Random(7))).toThrow(sentence("a Random"));
  expect(() => check(new Map([["std", 1]]))).toThrow(sentence("a Map"));
  class Computed {
    get std(): number {
      return 1;
    }
  }
  expect(() => check(new Computed())).toThrow(sentence("a Computed"));
});

test("plain objects of any realm, empty ones too, and objects of a class with such fields are", () => {
  class Settings {
    std = 1;
  }
  const all = [{}, { std: 1 }, Object.create(null), runInNewContext("({})"), new Settings()];
  for (const options of all) expect(() => check(options)).not.toThrow();
});

test("a generator given alone, as initial weights took it once, is refused", () => {
  const layer = new Conv2d(1, 1, 3);
  const random = new Random(7) as object;
  expect(() => normalInit(layer, 0.1, random)).toThrow(
    "normalInit: options are an object with random, got a Random",
  );
  expect(() => kaimingNormalInit(layer, random)).toThrow("kaimingNormalInit: options are an object with");
  expect(() => whiteningInit(layer, [], random)).toThrow("whiteningInit: options are an object with");
});
