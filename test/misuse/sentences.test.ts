/** The sentences that members of PyTorch's classes have here: each names what there is, and is thrown. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as elementwise from "../../src/kernels/elementwise/index.ts";
import { moduleSentences, optimizerSentences } from "../../src/nn/pytorch-names.ts";
import * as torch from "../../src/node.ts";
import type { Sentences } from "../../src/options/foreign-names.ts";
import { methodSentences, propertySentences } from "../../src/tensor/pytorch-names.ts";

const { Adam, Conv2d, Sequential, Tensor, tensor } = torch;

torch.setDefaultDevice(new CpuDevice("float32"));
const x = tensor([
  [1, 2],
  [3, 4],
]);

describe("the sentences", () => {
  const members = (prototype: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { get, value }]) => {
      try {
        get ? get.call(x) : value?.toString().includes("has no method") && value();
      } catch (error) {
        return [[name, (error as Error).message] as const];
      }
      return [];
    });
  const classes = [
    ["Tensor", members(Tensor.prototype)],
    ["Module", members(torch.Module.prototype)],
    ["Adam", members(Object.getPrototypeOf(Adam.prototype))],
  ] as const;

  test.each(classes)("of %s name only what there is", (_, sentences) => {
    expect(sentences.length).toBeGreaterThan(2);
    for (const [name, message] of sentences) {
      const sentence = message.slice(message.indexOf(". ") + 2);
      for (const [, called] of sentence.matchAll(/(?<![.\w]|new )(\w+)\(/g)) {
        expect(torch, `${name}: ${sentence}`).toHaveProperty(called);
      }
    }
  });

  const foreign: [string, object, Sentences, string][] = [
    ["x.", x, methodSentences, "()"],
    ["x.", x, propertySentences, ""],
    ["model.", new Conv2d(3, 4, 3), moduleSentences, "()"],
    ["optimizer.", new Adam(new Conv2d(3, 4, 3).parameters()), optimizerSentences, "()"],
  ];
  const all = foreign.flatMap(([of, object, sentences, call]) =>
    Object.entries(sentences)
      .filter(([name]) => name !== "forward") // which this network has
      .map(
        ([name, sentence]) =>
          [`${of}${name}${call}`, object as Record<string, unknown>, name, sentence] as const,
      ),
  );

  test.each(all)("%s throws its sentence", (line, object, name, sentence) => {
    const use = () => (line.endsWith("()") ? (object[name] as () => unknown)() : object[name]);
    expect(use).toThrow(sentence);
  });

  test("are about a hundred, as docs/from-pytorch.md says", () => {
    expect(Math.round(all.length / 50)).toBe(2);
  });

  test("a tensor has one for every operation that PyTorch's tensors have as a method", () => {
    // PyTorch has these only as functions, or under other names, or not at all.
    const others =
      "avgPool2d batchNorm binaryCrossEntropyWithLogits broadcastTo cast charbonnierLoss concat " +
      "conv2d convTranspose2d crossEntropy denseConv2d dropout elu gelu huberLoss interpolate " +
      "l1Loss leakyRelu linear logSoftmax maxPool2d mseLoss pad pixelShuffle pixelUnshuffle silu " +
      "slice smoothL1Loss softplus stack symmetricGate variance";
    const explained = new Map<string, string>(classes[0][1]);
    expect(operations()).toContain("relu");
    const missing = operations().filter((name) => !explained.has(name) && !others.split(" ").includes(name));
    const advice =
      "Has torch.Tensor this method? Then add its name to `functions` in src/tensor/pytorch-names.ts. " +
      "If not, add it to `others` above";
    expect(missing, advice).toEqual([]);
  });

  test("they hide no member of a class, and lists of members do not show them", () => {
    expect(Object.keys(x)).not.toContain("relu");
    const listed: string[] = [];
    for (const name in x) listed.push(name);
    expect(listed).not.toContain("relu");
    expect([Tensor.prototype.dispose.name, "size" in x, x.size]).toEqual(["dispose", true, 4]);
    // A network may have members with these names of its own.
    class Own extends Sequential {
      cuda = 3;
      override toString() {
        return "own";
      }
      zero_grad() {
        return 4;
      }
    }
    expect([new Own().cuda, new Own().zero_grad(), `${new Own()}`]).toEqual([3, 4, "own"]);
  });
});

/** The operations that the library exports. */
function operations(): string[] {
  const text = readFileSync(new URL("../../src/index.ts", import.meta.url), "utf8");
  const lists = [...text.matchAll(/^export \{([^}]*)\} from "\.\/kernels\//gm)].map(([, list]) => list);
  const names = lists
    .join(",")
    .split(",")
    .map((name) => name.trim());
  return [...names.filter((name) => /^\w+$/.test(name)), ...Object.keys(elementwise)];
}
