/** A small ResNet against PyTorch: names of weights, twenty training steps, running statistics, eval mode. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { crossEntropy } from "../../src/kernels/cross-entropy/index.ts";
import { add, relu } from "../../src/kernels/elementwise/index.ts";
import { flatten } from "../../src/kernels/layout/index.ts";
import { maxPool2d } from "../../src/kernels/pool/index.ts";
import {
  AdamW,
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Linear,
  Module,
  type NamedArray,
  Sequential,
  SGD,
} from "../../src/nn/index.ts";
import { capture } from "../../src/tensor/capture.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";
import { type GoldenCase, type Options, readGolden } from "../support/golden.ts";

class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Sequential;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outputs);
    this.shortcut =
      stride === 1 && inputs === outputs
        ? new Sequential()
        : new Sequential(new Conv2d(inputs, outputs, 1, { stride, bias: false }), new BatchNorm2d(outputs));
  }

  forward(x: Tensor): Tensor {
    const y = relu(this.bn1.forward(this.conv1.forward(x)));
    return relu(add(this.bn2.forward(this.conv2.forward(y)), this.shortcut.forward(x)));
  }
}

class ResNet extends Module {
  readonly conv = new Conv2d(1, 8, 3, { padding: 1, bias: false });
  readonly bn = new BatchNorm2d(8);
  readonly blocks = new Sequential(new Block(8, 8, 1), new Block(8, 16, 2));
  readonly pool = new AdaptiveAvgPool2d(1);
  readonly fc = new Linear(16, 4);

  forward(x: Tensor): Tensor {
    const y = maxPool2d(relu(this.bn.forward(this.conv.forward(x))), 2);
    return this.fc.forward(flatten(this.pool.forward(this.blocks.forward(y)), 1));
  }
}

const optimizers: Record<string, (parameters: Tensor[], options: Options) => AdamW | SGD> = {
  adamw: (parameters, { lr, weight_decay: weightDecay }) => new AdamW(parameters, { lr, weightDecay }),
  sgd: (parameters, { lr, momentum }) => new SGD(parameters, { lr, momentum }),
};

/** The weights and buffers under `before/` or `after/`, by their own names. */
function weights(arrays: GoldenCase["arrays"], prefix: string): Map<string, NamedArray> {
  const own = [...arrays].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

async function checkTraining(device: Device, golden: GoldenCase, replayed: boolean): Promise<void> {
  setDefaultDevice(device);
  using _ = scope();
  const { name, options, arrays } = golden;
  const model = new ResNet();
  model.loadStateDict(weights(arrays, "before/"));
  const optimizer = optimizers[name](model.parameters(), options);
  const { shape, data } = arrays.get("x")!;
  const { data: classes } = arrays.get("target")!;
  const [steps, batch, ...picture] = shape;
  const pictures = (step: number) => {
    const size = data.length / steps;
    return tensor(data.subarray(step * size, (step + 1) * size), [batch, ...picture]);
  };

  const body = (x: Tensor, target: Tensor) => {
    const loss = crossEntropy(model.forward(x), target);
    optimizer.step(backward(loss));
    return loss;
  };
  using captured = capture(body);
  const step = replayed ? captured : body;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    using _ = scope();
    const target = tensor(classes.subarray(i * batch, (i + 1) * batch));
    losses.push(await step(pictures(i), target).item());
  }
  if (replayed) expect(captured.whyBuilt).toBeUndefined();

  const label = `on ${device.name}:`;
  const want = arrays.get("losses")!.data;
  expect(want.at(-1)).toBeLessThan(0.8 * want[0]);
  expectClose(losses, want, { absolute: 1e-4, relative: 0, label: `losses ${label}` });
  const trained = await model.stateDict();
  const after = weights(arrays, "after/");
  expect([...after.keys()].sort()).toEqual([...trained.keys()].sort());
  expect(trained.get("bn.num_batches_tracked")!.data).toEqual(Float32Array.of(steps));
  for (const [name, { data }] of after) {
    expectClose(trained.get(name)!.data, data, { absolute: 2e-4, relative: 1e-4, label: `${name} ${label}` });
  }
  const logits = await model.eval().forward(pictures(0)).data();
  expectClose(logits, arrays.get("logits")!.data, { absolute: 1e-3, label: `logits ${label}` });
  optimizer.dispose();
}

const gpus = await gpuDevices();
const cases = readGolden("resnet").map((golden) => [golden.name, golden] as const);

describe.each([float32Device(), ...gpus].map((device) => [device.name, device] as const))(
  "on %s",
  (_, device) => {
    test.each(cases)("%s", (_, golden) => checkTraining(device, golden, false));
  },
);

describe.each(logicDevices(gpus).map((device) => [device.name, device] as const))(
  "replayed on %s",
  (_, device) => {
    test.each(cases)("%s", (_, golden) => checkTraining(device, golden, true));
  },
);
