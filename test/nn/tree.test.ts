/** Networks as text. */
import { inspect } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { Conv2d, Module, PReLU, ReLU, Sequential } from "../../src/nn/index.ts";
import { zeros } from "../../src/tensor/create.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device } from "../support/devices.ts";

beforeAll(() => setDefaultDevice(float32Device()));

class Block extends Module {
  readonly conv = new Conv2d(2, 2, 1);
  readonly slopes = new PReLU(2);
  forward(x: Tensor): Tensor {
    return this.slopes.forward(this.conv.forward(x));
  }
}

class Network extends Module {
  readonly mean = zeros([3, 1]); // not trained
  readonly blocks = [new Block(), new Block(), new Block()];
  readonly tail = new Sequential(new Conv2d(2, 1000, 1, { bias: false }), new ReLU());
  readonly first = new ReLU();
  readonly second = new ReLU();
  readonly again = this.tail.modules[0]; // the same weights under another name
  forward(x: Tensor): Tensor {
    return x;
  }
}

const tree = `Network (mean [3, 1], not trained), 2,024 parameters
  blocks.0 to blocks.2: 3 x Block, 8 parameters each
    conv: Conv2d (weight [2, 2, 1, 1]; bias [2]), 6 parameters
    slopes: PReLU (weight [2]), 2 parameters
  tail: Sequential, 2,000 parameters
    0: Conv2d (weight [1000, 2, 1, 1]), 2,000 parameters
    1: ReLU
  first, second: 2 x ReLU
  again: Conv2d (weight [1000, 2, 1, 1]), 2,000 parameters`;

test("a network is a tree, in which equal neighbours share a line", () => {
  expect(String(new Network())).toBe(tree);
  expect(inspect(new Network())).toBe(tree);
});

test("what is not trained is counted by nobody", () => {
  const network = new Network();
  for (const parameter of network.blocks[1].parameters()) parameter.requiresGrad = false;
  const lines = String(network).split("\n");
  expect(lines[0]).toContain("2,016 parameters");
  expect(lines.filter((line) => line.includes("blocks."))).toEqual([
    "  blocks.0: Block, 8 parameters",
    "  blocks.1: Block",
    "  blocks.2: Block, 8 parameters",
  ]);
});

test("modules without parts or a name", () => {
  expect(String(new ReLU())).toBe("ReLU");
  const nameless = new (class extends Module {
    forward(x: Tensor): Tensor {
      return x;
    }
  })();
  expect(String(nameless)).toBe("Module");
});
