import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import { expectClose } from "./close.ts";
import { weightedLoss } from "./gradcheck.ts";

/** The options of a case, JSON of many forms. `never` can be passed on as any of them. */
export type Options = Readonly<Record<string, never>>;

/** One case of a golden file: inputs and results by name. test/golden/make.py describes them. */
export interface GoldenCase {
  readonly name: string;
  readonly op: string;
  readonly options: Options;
  readonly arrays: ReadonlyMap<string, NamedArray>;
}

/** The cases of test/golden/TOPIC.safetensors, in the order of make.py. */
export function readGolden(topic: string): GoldenCase[] {
  const file = new URL(`../golden/${topic}.safetensors`, import.meta.url);
  const { tensors, metadata } = parseSafetensors(readFileSync(file), `${topic}.safetensors`);
  const { cases } = JSON.parse(metadata.golden) as { cases: Record<string, { op: string }> };
  return Object.entries(cases).map(([name, { op, ...options }]) => {
    const own = [...tensors].filter(([key]) => key.startsWith(`${name}/`));
    const arrays = new Map(own.map(([key, array]) => [key.slice(name.length + 1), array]));
    return { name, op, options: options as Options, arrays };
  });
}

/** How one operation is called here; inputs are those of the case, by name. */
export type Run = (inputs: Readonly<Record<string, Tensor>>, options: Options) => Tensor;

/**
 * Runs one operation on `device` and expects the golden result, and the golden gradient with respect to every
 * input that has one. An element may be off by `tolerance` times itself plus `tolerance` times the largest
 * element: where a sum cancels, it keeps the errors of its terms.
 */
export async function checkGolden(
  device: Device,
  run: Run,
  golden: GoldenCase,
  tolerance: number,
): Promise<void> {
  using _ = scope();
  const { options, arrays } = golden;
  // dx is the gradient of x, and new_x what x is afterwards; no input's own name begins so.
  const names = [...arrays.keys()].filter((name) => name !== "y" && !/^(d|new_)/.test(name));
  const inputs: Record<string, Tensor> = {};
  for (const name of names) {
    const { shape, data } = arrays.get(name)!;
    inputs[name] = tensor(data, shape, { device, requiresGrad: arrays.has(`d${name}`) });
  }
  const y = run(inputs, options);
  const dy = arrays.get("dy");
  const gradients = dy && backward(weightedLoss(y, dy.data));

  const results = new Map([["y", y]]);
  for (const [name, input] of Object.entries(inputs)) {
    if (input.requiresGrad) results.set(`d${name}`, gradients!.get(input)!);
    if (arrays.has(`new_${name}`)) results.set(`new_${name}`, input);
  }
  for (const [name, result] of results) {
    const want = arrays.get(name)!;
    const label = `${name} on ${device.name}:`;
    expect(result.shape, label).toEqual(want.shape);
    const largest = want.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expectClose(await result.data(), want.data, {
      relative: tolerance,
      absolute: tolerance * largest,
      label,
    });
  }
}
