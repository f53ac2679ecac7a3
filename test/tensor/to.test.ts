/** Moving tensors and networks between devices. */
import { beforeEach, describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import { GpuError } from "../../src/device/device.ts";
import { MetaDevice } from "../../src/device/meta-device.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { add, mul } from "../../src/kernels/elementwise/index.ts";
import { detach } from "../../src/kernels/layout/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { ESPCN } from "../../src/models/index.ts";
import { Adam, BatchNorm2d, Conv2d, Module, Sequential } from "../../src/nn/index.ts";
import { rand, tensor, zeros } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { networkUpscaler, selfEnsemble } from "../../src/upscale/index.ts";
import { expectTensorsClose } from "../support/close.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";

const [gpu] = await gpuDevices();
const cpu = float32Device();
beforeEach(() => setDefaultDevice(cpu));
const list = async (x: Tensor) => [...(await x.data())];

describe("a tensor", () => {
  test("goes to another device and back", async () => {
    using _ = scope();
    const x = tensor([1, 2.5, -3], [3, 1]);
    const there = await x.to(gpu);
    expect([there.device, there.shape, await list(there)]).toEqual([gpu, [3, 1], [1, 2.5, -3]]);
    expect(await list(mul(there, 2))).toEqual([2, 5, -6]);
    const back = await there.to(cpu);
    expect([back.device, await list(back)]).toEqual([cpu, [1, 2.5, -3]]);
    expect(x.device).toBe(cpu);
  });

  test("stays itself on its own device", async () => {
    const x = tensor([1]);
    expect(await x.to(cpu)).toBe(x);
  });

  test("keeps its dtype, all its digits, and whether it is a parameter", async () => {
    using _ = scope();
    const f64 = float64Device();
    const third = tensor([1 / 3], { device: f64 });
    const copy = await third.to(new CpuDevice("float64"));
    expect(copy.cpuStorage.array[0]).toBe(1 / 3);
    const half = await tensor([1, 65504], { dtype: "float16" }).to(f64);
    expect([half.dtype, await list(half)]).toEqual(["float16", [1, 65504]]);
    const w = await tensor([2], { requiresGrad: true }).to(gpu);
    expect(await list(backward(sum(mul(w, w))).get(w)!)).toEqual([4]);
  });

  test("has the values of the time of the call", async () => {
    using _ = scope();
    for (const device of [cpu, gpu]) {
      const x = tensor([1], { device });
      const moved = x.to(device === cpu ? gpu : cpu);
      x.assign([2]);
      expect(await list(await moved)).toEqual([1]);
    }
  });

  test("belongs to the scope in which it is asked for", async () => {
    const x = tensor([1]);
    const before = gpu.memory().live;
    const opened = scope();
    const moved = x.to(gpu);
    await moved;
    opened[Symbol.dispose]();
    expect([(await moved).disposed, gpu.memory().live]).toEqual([true, before]);
  });

  test("writes into no other tensor if the scope ends before the values have come", async () => {
    const another = await openDevice({ adapter: gpu.adapterClass });
    const x = tensor([7, 7, 7, 7], { device: another });
    const opened = scope();
    const moved = x.to(gpu);
    opened[Symbol.dispose]();
    const z = zeros([4], { device: gpu });
    await expect(moved).rejects.toThrow("was used after it had been disposed");
    expect(await list(z)).toEqual([0, 0, 0, 0]);
    z.dispose();
    another.destroy();
  });

  test("refuses to cut a gradient off in silence", async () => {
    using _ = scope();
    const y = mul(tensor([1], { requiresGrad: true }), 2);
    await expect(y.to(gpu)).rejects.toThrow(
      "to: the tensor of shape [1] was computed from parameters, and no gradient flows from one device to another.",
    );
    expect(await list(await detach(y).to(gpu))).toEqual([2]);
    expect(await list(await noGrad(() => mul(y, 2)).to(gpu))).toEqual([4]);
  });

  test("leaves nothing behind where it cannot go", async () => {
    const x = tensor([1]);
    x.dispose();
    const before = gpu.memory().live;
    await expect(x.to(gpu)).rejects.toThrow("was used after it had been disposed");
    const shapeAlone = zeros([2], { device: new MetaDevice({ tensors: 1, elements: 2 }) });
    await expect(shapeAlone.to(gpu)).rejects.toThrow("Tensors on the device meta have no values.");
    expect(gpu.memory().live).toBe(before);
  });
});

describe("a module", () => {
  const network = () =>
    new Sequential(new Conv2d(3, 4, 3, { random: new Random(1) }), new BatchNorm2d(4), new Conv2d(4, 1, 1));

  test("computes the same on another device, and frees the memory of the first", async () => {
    using _ = scope();
    const x = rand([1, 3, 8, 8], { random: new Random(2) });
    const before = cpu.memory().live;
    const model = network().eval();
    const parameters = model.parameters();
    const y = noGrad(() => model.forward(x));
    expect(await model.to(gpu)).toBe(model);
    expect(new Set([...model.namedTensors().values()].map(({ device }) => device))).toEqual(new Set([gpu]));
    expect(model.parameters()).toEqual(parameters);
    expect(cpu.memory().live).toBe(before + 1); // y
    const there = await x.to(gpu);
    await expectTensorsClose(
      noGrad(() => model.forward(there)),
      y,
    );
  });

  test("can be trained there by an optimizer that is made afterwards", async () => {
    using _ = scope();
    const model = new Conv2d(1, 1, 1, { random: new Random(1) });
    const old = new Adam(model.parameters());
    await model.to(gpu);
    const [weight] = await list(model.weight);
    const adam = new Adam(model.parameters(), { lr: 0.1 });
    const x = tensor([1], [1, 1, 1, 1], { device: gpu });
    adam.step(backward(sum(model.forward(x))));
    expect((await list(model.weight))[0]).toBeCloseTo(weight - 0.1, 5);
    expect(() => old.step(backward(sum(model.forward(x))))).toThrow("or model.to(device) has moved it");
    for (const one of [old, adam]) one.dispose();
  });

  test("takes along upscalers that were made before", async () => {
    const model = new ESPCN({ scale: 2, random: new Random(1) });
    const [upscaler, ensemble] = [networkUpscaler(model), selfEnsemble(networkUpscaler(model))];
    const planes = {
      width: 9,
      height: 7,
      channels: 1,
      data: Float32Array.from({ length: 63 }, (_, i) => i / 63),
    };
    const { data } = await upscaler.upscalePlanes(planes);
    await model.to(gpu);
    for (const one of [upscaler, ensemble]) expect(one.device).toBe(gpu);
    const there = await upscaler.upscalePlanes(planes);
    expect(Math.max(...there.data.map((value, i) => Math.abs(value - data[i])))).toBeLessThan(1e-5);
    expect((await ensemble.upscalePlanes(planes)).data).toHaveLength(4 * 63);
    model.dispose();
  });

  test("moves a tensor once that two modules share, and survives the caller's scope", async () => {
    class Tied extends Module {
      a = new Conv2d(1, 1, 1);
      b = this.a;
      forward(x: Tensor): Tensor {
        return add(this.a.forward(x), this.b.forward(x));
      }
    }
    const model = new Tied();
    const before = gpu.memory().live;
    // The scope ends before the move does.
    await (() => {
      using _ = scope();
      return model.to(gpu);
    })();
    expect(gpu.memory().live).toBe(before + 2);
    expect(model.b.weight.disposed).toBe(false);
    model.dispose();
    expect(gpu.memory().live).toBe(before);
  });

  test("refuses notes from before", async () => {
    const model = new Conv2d(1, 1, 1);
    const loss = sum(model.forward(zeros([1, 1, 1, 1])));
    await model.to(gpu);
    expect(() => backward(loss)).toThrow("has been overwritten");
    model.dispose();
  });

  test("changes nothing if it fails", async () => {
    const model = network();
    const before = gpu.memory().live;
    const step = model.to(gpu);
    model.parameters()[0].assign(new Float32Array(4 * 3 * 9));
    await expect(step).rejects.toThrow("Sequential.to: a value has changed while the tensors were moved, ");
    expect(gpu.memory().live).toBe(before);
    const withOptimizer = model.to(gpu);
    const adam = new Adam(model.parameters());
    await expect(withOptimizer).rejects.toThrow("or an optimizer was made. Await the promise");
    expect(gpu.memory().live).toBe(before);
    adam.dispose();
    const full = new CpuDevice("float32");
    const { allocate } = full;
    let room = 1;
    full.allocate = (...wanted) => {
      if (room-- === 0) throw new GpuError("There is no room.");
      return allocate.apply(full, wanted);
    };
    await expect(model.to(full)).rejects.toThrow("There is no room.");
    expect(full.memory().live).toBe(0);
    expect([...model.namedTensors().values()].every(({ device }) => device === cpu)).toBe(true);
    await expect(model.to("cuda" as never)).rejects.toThrow(
      'Sequential.to: device must be a device, such as openDevice() returns, got "cuda".',
    );
    await expect(model.to({ allocate() {} } as never)).rejects.toThrow("device must be a device");
  });
});
