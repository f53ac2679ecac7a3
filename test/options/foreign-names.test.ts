/** Names of another library on a class of ours. */
import { expect, test } from "vitest";
import { moduleSentences, optimizerSentences } from "../../src/nn/pytorch-names.ts";
import { Adam, Module, Tensor } from "../../src/node.ts";
import { explainMethods, explainProperties } from "../../src/options/foreign-names.ts";
import { methodSentences, propertySentences } from "../../src/tensor/pytorch-names.ts";

class Thing {
  own(): string {
    return "own";
  }
}
explainMethods(Thing.prototype, "A thing", { theirs: "Write own().", own: "Never said." });
explainProperties(Thing.prototype, "A thing", { size: "Write length.", 0: "Write first()." });
const thing = new Thing() as Thing & { theirs: () => void; size: number; 0: number };

test("calls, reads and writes throw the sentence", () => {
  expect(() => thing.theirs()).toThrow("A thing has no method theirs(). Write own().");
  expect(() => thing.size).toThrow("A thing has no size. Write length.");
  expect(() => {
    thing.size = 3;
  }).toThrow("A thing has no size. Write length.");
  expect(() => thing[0]).toThrow("A thing has no [0]. Write first().");
});

test("what a class has itself stays, and nothing is listed", () => {
  expect(thing.own()).toBe("own");
  const names: string[] = [];
  for (const name in thing) names.push(name);
  expect(names).toEqual([]);
});

test("no sentence is about a member that a class has by now: those would never be said", () => {
  const explained = (prototype: object, names: object) =>
    Object.keys(names).filter((name) => {
      const { get, value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
      return !(get ?? value)?.toString().match(/has no|refuse|throw/);
    });
  expect(explained(Tensor.prototype, { ...methodSentences, ...propertySentences })).toEqual([]);
  expect(explained(Module.prototype, moduleSentences)).toEqual([]);
  expect(explained(Object.getPrototypeOf(Adam.prototype), optimizerSentences)).toEqual([]);
});
