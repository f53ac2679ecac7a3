/** Networks and optimizers in a file: a loop that goes on from it does what one that never stopped does. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { mseLoss } from "../../src/kernels/loss/index.ts";
import {
  Adam,
  BatchNorm2d,
  Conv2d,
  cosineAnnealingLR,
  Dropout,
  emaUpdate,
  ReLU,
  Sequential,
  SGD,
} from "../../src/nn/index.ts";
import { Optimizer } from "../../src/nn/optimizer.ts";
import { DataError } from "../../src/picture/errors.ts";
import { rand } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import {
  loadCheckpoint,
  loadWeights,
  parseSafetensors,
  saveCheckpoint,
  saveWeights,
  serializeSafetensors,
} from "../../src/weights/index.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

/** A training loop with all that has a state: running statistics, sums, a schedule, an average, random numbers. */
class Run {
  random: Random;
  readonly model: Sequential;
  readonly average: Sequential;
  readonly adam: Adam;
  step = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    const { random } = this;
    const network = () => {
      const layers = [new Conv2d(1, 3, 3, { random }), new BatchNorm2d(3), new ReLU()];
      return new Sequential(...layers, new Dropout(0.3, { random }), new Conv2d(3, 1, 1, { random }));
    };
    this.model = network();
    this.average = network();
    this.adam = new Adam(this.model.parameters(), { weightDecay: 0.01 });
  }

  get parts() {
    const { model, average, adam } = this;
    return { model, average, adam };
  }

  train(steps: number): void {
    const schedule = cosineAnnealingLR(0.01, { tMax: 10 });
    for (const end = this.step + steps; this.step < end; this.step++) {
      using _ = scope();
      const [x, target] = [rand([2, 1, 7, 7], this.random), rand([2, 1, 5, 5], this.random)];
      this.adam.lr = schedule(this.step);
      this.adam.step(backward(mseLoss(this.model.forward(x), target)));
      emaUpdate(this.average, this.model, 0.9);
    }
  }

  save() {
    const random = JSON.stringify(this.random.state());
    return saveCheckpoint(this.parts, { step: String(this.step), random });
  }
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test("a loop that was interrupted makes the same bits as one that was not", async () => {
    const whole = new Run(1);
    whole.train(7);
    const first = new Run(1);
    first.train(4);
    const second = new Run(2);
    const { step, random } = loadCheckpoint(second.parts, await first.save());
    second.step = Number(step);
    const generator = Random.fromState(JSON.parse(random));
    // The generator is one object for the loop and for the layers.
    Object.assign(second.random, { next: () => generator.next() });
    second.train(3);
    expect([second.adam.steps, second.adam.lr]).toEqual([7, whole.adam.lr]);
    expect(await second.save().then((bytes) => withoutRandom(bytes))).toEqual(
      withoutRandom(await whole.save()),
    );
  });

  test("steps that follow before it is written do not count", async () => {
    const run = new Run(1);
    run.train(2);
    const want = withoutRandom(await run.save());
    const [checkpoint, weights, metadata] = [run.save(), saveWeights(run.model), { note: "early" }];
    const noted = saveCheckpoint(run.parts, metadata);
    metadata.note = "late";
    run.train(2);
    expect(withoutRandom(await checkpoint)).toEqual(want);
    expect(parseSafetensors(await noted).metadata.note).toBe("early");
    for (const [name, array] of parseSafetensors(await weights).tensors)
      expect(array, name).toEqual(want.tensors.get(`model.${name}`));
    expect(withoutRandom(await run.save())).not.toEqual(want);
  });
});

/** What a file holds, but for the state of the loop's generator. */
function withoutRandom(bytes: Uint8Array) {
  const { tensors, metadata } = parseSafetensors(bytes);
  const { random: _, ...rest } = metadata;
  return { tensors, rest };
}

describe("a checkpoint", () => {
  beforeEach(() => setDefaultDevice(devices[0]));
  const network = (channels: number) => new Conv2d(1, channels, 3, { random: new Random(3) });

  test("names tensors by parts, and a network can be taken from it alone", async () => {
    const model = network(2);
    const bytes = await saveCheckpoint(
      { model, sgd: new SGD(model.parameters(), { lr: 0.1 }) },
      { note: "x" },
    );
    const { tensors, metadata } = parseSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["model.weight", "model.bias", "sgd.velocity"]);
    const shapes = "[[2,1,3,3],[2]]";
    expect(metadata).toEqual({ note: "x", "sgd.steps": "0", "sgd.lr": "0.1", "sgd.shapes": shapes });
    const other = new Conv2d(1, 2, 3);
    expect(loadCheckpoint({ model: other }, bytes).note).toBe("x");
    expect(await other.stateDict()).toEqual(await model.stateDict());
  });

  test("says what does not fit", async () => {
    const model = network(2);
    const bytes = await saveCheckpoint({ model, adam: new Adam(model.parameters()) });
    const load = (parts: object) => () => loadCheckpoint(parts as never, bytes, "run.safetensors");
    expect(load({ net: model })).toThrow(
      'loadCheckpoint: run.safetensors has no network called "net"; it has model, adam.',
    );
    expect(load({ model: new Adam(model.parameters()) })).toThrow('has no optimizer called "model"');
    expect(load({ adam: new SGD(network(2).parameters()) })).toThrow(DataError);
    expect(load({ model: network(3) })).toThrow("model of run.safetensors does not fit this Conv2d");
    expect(load({ adam: new Adam(network(9).parameters()) })).toThrow(
      "belongs to another network or optimizer",
    );
    expect(load({ "a.b": model })).toThrow("networks and optimizers by names without dots");
    expect(load({ model: 3 })).toThrow("networks and optimizers by names without dots");
    await expect(saveCheckpoint([model] as never)).rejects.toThrow(
      "saveCheckpoint: the first argument must be",
    );
  });

  test("without counters that are numbers is refused, by the file's name", async () => {
    const model = network(2);
    const adam = new Adam(model.parameters());
    const { tensors } = parseSafetensors(await saveCheckpoint({ adam }));
    const load = (metadata: Record<string, string>) => () =>
      loadCheckpoint({ adam }, serializeSafetensors(tensors, metadata), "run.safetensors");
    expect(load({ "adam.steps": "1" })).toThrow("the lr of adam of run.safetensors must be");
    for (const steps of ["", " ", "abc", "1.5", "-1"]) {
      expect(load({ "adam.steps": steps, "adam.lr": "1" })).toThrow(
        `loadCheckpoint: the steps of adam of run.safetensors must be`,
      );
      expect(load({ "adam.steps": steps, "adam.lr": "1" })).toThrow(DataError);
    }
    expect(load({ "adam.steps": "1", "adam.lr": "" })).toThrow(DataError);
    load({ "adam.steps": "7", "adam.lr": "1e-7" })();
    expect([adam.steps, adam.lr]).toEqual([7, 1e-7]);
    const other = new Adam(network(9).parameters());
    const bytes = serializeSafetensors(tensors, { "adam.steps": "1", "adam.lr": "1" });
    expect(() => loadCheckpoint({ adam: other }, bytes, "run.safetensors")).toThrow(
      "m of adam of run.safetensors has",
    );
  });

  test("tells the sums of parameters of other shapes, even if they take the same room", async () => {
    const adam = (kernel: number) => new Adam(new Conv2d(1, 2, kernel).parameters());
    const bytes = await saveCheckpoint({ adam: adam(3) });
    expect(() => loadCheckpoint({ adam: adam(5) }, bytes)).toThrow(
      "adam of the checkpoint does not fit: its parameter 0 is [2, 1, 3, 3] and should be [2, 1, 5, 5].",
    );
    const { tensors, metadata } = parseSafetensors(bytes);
    const { "adam.shapes": _, ...older } = metadata; // files without shapes go on
    loadCheckpoint({ adam: adam(3) }, serializeSafetensors(tensors, older));
    for (const text of ["[[2,", "[2]", "{}"]) {
      const damaged = serializeSafetensors(tensors, { ...metadata, "adam.shapes": text });
      expect(() => loadCheckpoint({ adam: adam(3) }, damaged)).toThrow(
        "the shapes of adam of the checkpoint must be",
      );
    }
  });

  test("takes an optimizer whose state tells no shapes", async () => {
    class Plain extends SGD {
      override async stateDict() {
        const { steps, lr, sums } = await super.stateDict();
        return { steps, lr, sums };
      }
    }
    const make = (lr: number) => new Plain(network(2).parameters(), { lr, momentum: 0.9 });
    const bytes = await saveCheckpoint({ sgd: make(0.25) });
    expect(parseSafetensors(bytes).metadata).toEqual({ "sgd.steps": "0", "sgd.lr": "0.25" });
    const restored = make(0.5);
    loadCheckpoint({ sgd: restored }, bytes);
    expect(restored.lr).toBe(0.25);
  });

  test("may have parts without tensors", async () => {
    /** Changes nothing, and so needs no sums. */
    class Idle extends Optimizer<never> {
      constructor(parameters: readonly Tensor[]) {
        super(parameters, { lr: 0.5 }, [], {});
      }
      protected update(): void {}
    }
    const model = network(2);
    const parts = () => ({ relu: new ReLU(), idle: new Idle(network(2).parameters()) });
    const saved = parts();
    saved.idle.lr = 0.25;
    const restored = parts();
    loadCheckpoint(restored, await saveCheckpoint(saved));
    expect(restored.idle.lr).toBe(0.25);
    const bytes = await saveCheckpoint(saved);
    expect(() => loadCheckpoint({ model }, bytes)).toThrow('has no network called "model"');
    expect(() => loadCheckpoint({ relu: saved.idle }, bytes)).toThrow('has no optimizer called "relu"');
  });

  test("is what an optimizer is told to go into", async () => {
    const adam = new Adam(network(2).parameters());
    await expect(saveWeights(adam as never)).rejects.toThrow("saveCheckpoint({ model, optimizer })");
    expect(() => loadWeights(adam as never, new Uint8Array())).toThrow("must be a network");
    const state = JSON.parse(JSON.stringify(await adam.stateDict()));
    expect(() => adam.loadStateDict(state)).toThrow("with sums that are Float32Arrays (not from JSON)");
  });
});
