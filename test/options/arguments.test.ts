/** Objects of options: what is taken for one. */
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  arange,
  avgPool2d,
  Conv2d,
  ConvTranspose2d,
  concat,
  conv2d,
  ESPCN,
  init,
  interpolate,
  kaimingNormalInit,
  normalInit,
  permute,
  Random,
  rand,
  randn,
  reshape,
  transpose,
  variance,
  whiteningInit,
  zeros,
} from "../../src/node.ts";
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

test.each<[what: string, call: () => unknown, sentence: string]>([
  [
    "variance's unbiased",
    () => variance(zeros([2]), 0, { unbiased: false } as object),
    "variance: unbiased: false is { correction: 0 } here.",
  ],
  [
    "and what it says works",
    () => {
      variance(zeros([2]), 0, { correction: 0 });
      throw new Error("it does");
    },
    "it does",
  ],
  [
    "align_corners",
    () =>
      interpolate(zeros([1, 1, 2, 2]), { mode: "bilinear", scaleFactor: 2, align_corners: false } as never),
    "interpolate: there is no align_corners; this is PyTorch's align_corners=False: leave it out.",
  ],
  [
    "groups",
    () => new Conv2d(4, 4, 3, { groups: 2 } as object),
    "Conv2d: there are no grouped convolutions. With groups 1, leave it out.",
  ],
  [
    "groups of a transposed convolution",
    () => new ConvTranspose2d(4, 4, 3, { groups: 2 } as object),
    "ConvTranspose2d: there are no grouped convolutions.",
  ],
  [
    "groups of a convolution that is a function",
    () => conv2d(zeros([1, 1, 3, 3]), zeros([1, 1, 3, 3]), undefined, { groups: 1 } as object),
    "conv2d: there are no grouped convolutions. With groups 1, leave it out.",
  ],
  [
    "groups of what has none in PyTorch, either",
    () => avgPool2d(zeros([1, 1, 2, 2]), 2, { groups: 1 } as object),
    'avgPool2d: there is no option "groups"; there are stride, padding.',
  ],
  ...["constructor", "toString", "hasOwnProperty"].map((name): [string, () => unknown, string] => [
    `a member of every object, ${name}`,
    () => rand([2], JSON.parse(`{"${name}":1}`)),
    `rand: there is no option "${name}"; there are device, `,
  ]),
  [
    "seed of numbers",
    () => randn([2], { seed: 3 } as object),
    'randn: there is no option "seed"; write { random: new Random(3) }.',
  ],
  [
    "seed of a network",
    () => new Conv2d(4, 4, 3, { seed: 3 } as object),
    'Conv2d: there is no option "seed"; write { random: new Random(3) }.',
  ],
  [
    "another name: the list has all that there are",
    () => rand([2], { lo: 3 } as object),
    'rand: there is no option "lo"; there are device, requiresGrad, dtype, random, low, high.',
  ],
  [
    "low and high of randn",
    () => randn([2], { low: 3 } as object),
    'randn: there is no option "low"; there are device, requiresGrad, dtype, random.',
  ],
  ["low above high", () => rand([2], { low: 3, high: 1 }), "rand: low must not be above high, got 3 and 1."],
  [
    "a third argument",
    () => randn([2], {}, 3 as never),
    "randn: takes a shape and options, such as { random: new Random(1) }, got 3 arguments.",
  ],
  [
    "no options",
    () => randn([2], 3 as never),
    "randn: the second argument is a Random or options, such as { random: new Random(1) }, got 3.",
  ],
  [
    "an empty range",
    () => arange(3, 3),
    "arange: there is no number from 3 by steps of 1 before 3. A tensor has at least one element: give an end other " +
      "than the start.",
  ],
  ["the same with one number", () => arange(0), "give an end other than the start."],
  ["a range in the wrong direction", () => arange(3, 1), "exchange the two, or turn the sign of the step."],
  [
    "axes to exchange",
    () => (transpose as (x: unknown) => unknown)(zeros([2, 2])),
    "transpose: name the two axes to exchange, such as transpose(x, 0, 1).",
  ],
  [
    "one of them",
    () => (transpose as (x: unknown, axis: number) => unknown)(zeros([2, 2]), 1),
    "transpose: name the two axes to exchange, such as transpose(x, 0, 1).",
  ],
  ["a shape", () => reshape(zeros([2]), 2 as never), "reshape: shape must be a list of numbers, got 2."],
  ["an order", () => permute(zeros([2]), 0 as never), "permute: axes must be a list of numbers, got 0."],
  [
    "a list of something else",
    () => concat([zeros([2]), 3] as never),
    "concat: the first argument must be a list whose items are each a tensor, got [a Tensor,3].",
  ],
  [
    "a text for a number",
    () => new ESPCN({ scale: "2" as never }),
    'ESPCN: scale must be 2, 3 or 4, got "2". In a program, write 2.',
  ],
])("%s", (_, call, sentence) => {
  expect(call).toThrow(sentence);
});
