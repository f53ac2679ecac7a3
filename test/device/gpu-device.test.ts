/**
 * What a tensor library needs around a WebGPU device: buffers that are not overwritten too early, and loud
 * errors.
 */

import { beforeEach, describe, expect, test, vi } from "vitest";
import { create } from "webgpu";
import { GpuError } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import type { GpuStorage } from "../../src/device/gpu-storage.ts";
import { kernel, linearGrid } from "../../src/device/kernel.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { add, mul, relu } from "../../src/kernels/elementwise/index.ts";
import { fillKernel } from "../../src/kernels/layout/copy.wgsl.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { compileAhead } from "../../src/tensor/compile-ahead.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { gpuDevices } from "../support/devices.ts";
import { runCode } from "../support/run.ts";

const devices = await gpuDevices();

/** y += x, both of `size` elements. */
const addTo = kernel(
  "add-to",
  `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.size) { y[id.x] += x[id.x]; }
}
`,
);

const wrong = kernel(
  "wrong-kernel",
  `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() {
  y[0] = no_such_thing;
}
`,
);

test("a device of another copy of the library is one that runs kernels", async () => {
  vi.resetModules();
  const copy = await import("../../src/device/gpu-device.ts");
  expect(devices[0]).not.toBeInstanceOf(copy.GpuDevice);
  expect(copy.aGpuDevice.fits(devices[0])).toBe(true);
  for (const other of [undefined, null, {}, "lavapipe", await openDevice({ adapter: "cpu" })]) {
    expect(copy.aGpuDevice.fits(other)).toBe(false);
  }
});

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));
  /** Another device of the same adapter, for tests that break it. */
  const another = (poolBytes?: number) =>
    openDevice({ adapter: device.adapterClass, poolBytes }) as Promise<GpuDevice>;
  const fill = (on: GpuDevice, y: GpuStorage, value: number, transient = false) => {
    const params = { size: y.length, value };
    on.run(fillKernel, {
      buffers: { y },
      params: transient ? () => params : params,
      grid: linearGrid(y.length, 64),
    });
  };

  describe("memory", () => {
    test("values in memory that threads share, which WebGPU does not take", async () => {
      const shared = new Float32Array(new SharedArrayBuffer(24), 4, 4);
      shared.set([1, 2, 3, 4]);
      const x = tensor(shared);
      expect([...(await x.data())]).toEqual([1, 2, 3, 4]);
      expect([...(await tensor(shared, [2, 2]).data())]).toEqual([1, 2, 3, 4]);
      shared[0] = 9;
      expect([...(await x.data())]).toEqual([1, 2, 3, 4]);
      x.assign(shared);
      expect([...(await x.data())]).toEqual([9, 2, 3, 4]);
      const storage = device.allocate(2);
      const bytes = new Uint8Array(new SharedArrayBuffer(8));
      bytes.set(new Uint8Array(Float32Array.of(5, 6).buffer));
      device.writeBytes(storage, bytes);
      expect([...(await device.read(storage))]).toEqual([5, 6]);
      device.release(storage);
    });

    test("statistics", async () => {
      const own = await another();
      const zero = { live: 0, liveBytes: 0, peakBytes: 0, buffers: 0, bufferBytes: 0 };
      expect(own.memory()).toEqual({ ...zero, buffersCreated: 0, pipelines: 0 });
      const [a, b] = [
        tensor(new Float32Array(1000), undefined, { device: own }),
        tensor(1, [], { device: own }),
      ];
      // 4000 bytes are rounded up to 4096, 4 to 256.
      const used = { live: 2, liveBytes: 4352, peakBytes: 4352 };
      expect(own.memory()).toEqual({
        ...used,
        buffers: 2,
        bufferBytes: 4352,
        buffersCreated: 2,
        pipelines: 0,
      });
      a.dispose();
      expect(own.memory()).toMatchObject({ live: 1, liveBytes: 256, peakBytes: 4352, buffers: 2 });
      const c = relu(b); // one more buffer, and one for its parameters
      expect(own.memory()).toMatchObject({
        live: 2,
        liveBytes: 512,
        peakBytes: 4352,
        buffers: 4,
        pipelines: 1,
      });
      expect(await c.data()).toEqual(Float32Array.of(1)); // one more to read through
      relu(tensor(new Float32Array(1000), undefined, { device: own })); // a's buffer, and two more
      expect(own.memory()).toMatchObject({ live: 4, buffers: 7, buffersCreated: 7, pipelines: 1 });
      own.destroy();
    });

    test("a released buffer is used again at once, and has the right values at every time", async () => {
      const { buffersCreated } = device.memory();
      const reads: Promise<Float32Array>[] = [];
      for (let i = 0; i < 100; i++) {
        using _ = scope();
        reads.push(add(mul(tensor([i, 1]), 2), 0.5).data());
      }
      for (const [i, read] of reads.entries()) expect([...(await read)]).toEqual([2 * i + 0.5, 2.5]);
      // Values are read while later ones are computed: only what is read through cannot be shared.
      expect(device.memory().buffersCreated - buffersCreated).toBeLessThan(110);
    });

    test("buffers disposed right after recording live until the commands have been submitted", async () => {
      const own = await another(0); // keeps none: whatever is disposed is destroyed
      using _ = scope();
      const results: Tensor[] = [];
      for (let i = 0; i < 200; i++) {
        const x = tensor([i, 2 * i, -i], undefined, { device: own });
        const doubled = add(x, x);
        results.push(mul(doubled, doubled));
        x.dispose();
        doubled.dispose();
      }
      for (const [i, y] of results.entries())
        expect([...(await y.data())]).toEqual([4 * i * i, 16 * i * i, 4 * i * i]);
      expect(own.memory()).toMatchObject({ live: 200, buffers: 203 }); // 2 for parameters, 1 to read
      own.destroy();
    });

    test("the pool is bounded", async () => {
      const own = await another(64 * 1024);
      for (let i = 1; i <= 100; i++) tensor(new Float32Array(100 * i), undefined, { device: own }).dispose();
      const { live, bufferBytes, buffersCreated } = own.memory();
      expect(live).toBe(0);
      expect(bufferBytes).toBeLessThanOrEqual(64 * 1024);
      expect(buffersCreated).toBeGreaterThan(30);
      await own.sync();
      own.destroy();
    });
  });

  describe("order", () => {
    test("launches that were recorded before a write see the old values", async () => {
      using _ = scope();
      const x = tensor([1, 2, 3]);
      const before = mul(x, 10);
      x.assign([4, 5, 6]);
      const after = mul(x, 10);
      x.assign([7, 8, 9]);
      expect([...(await before.data())]).toEqual([10, 20, 30]);
      expect([...(await after.data())]).toEqual([40, 50, 60]);
      expect([...(await x.data())]).toEqual([7, 8, 9]);
    });

    test("a write between copies", async () => {
      using _ = scope();
      const [x, y, z] = [tensor([1, 2]), tensor([0, 0]), tensor([0, 0])];
      device.copy(x.gpuStorage, y.gpuStorage);
      x.assign([3, 4]);
      device.copy(x.gpuStorage, z.gpuStorage);
      expect([...(await y.data()), ...(await z.data())]).toEqual([1, 2, 3, 4]);
    });

    test("uploads between launches, through buffers that launches have just used", async () => {
      using _ = scope();
      let total = tensor([0, 0]);
      for (let i = 1; i <= 50; i++) {
        const term = tensor([i, -i]);
        const next = add(total, term);
        term.dispose();
        total.dispose();
        total = next;
      }
      expect([...(await total.data())]).toEqual([1275, -1275]);
    });

    test("several reads at the same time", async () => {
      using _ = scope();
      const tensors = Array.from({ length: 20 }, (_, i) => add(tensor([i]), 1));
      const read = await Promise.all(tensors.map((x) => x.data()));
      expect(read.map(([v]) => v)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });
  });

  describe("parameters", () => {
    // Each launch fills its own 64 elements.
    const fillAll = (on: GpuDevice, all: GpuStorage, launches: number, transient: boolean) => {
      for (let i = 0; i < launches; i++) {
        const part = on.slice(all, i * 64, 64);
        fill(on, part, i, transient);
        on.release(part);
      }
    };

    test("more different ones than the cache keeps", async () => {
      const own = await another();
      const all = own.allocate(5000 * 64);
      for (let round = 0; round < 2; round++) {
        fillAll(own, all, 5000, false);
        const values = await own.read(all);
        for (let i = 0; i < 5000; i++) expect([values[i * 64], values[i * 64 + 63]]).toEqual([i, i]);
      }
      expect(own.memory().buffers).toBeLessThan(4110);
      own.destroy();
    });

    test("transient ones give their memory back", async () => {
      const own = await another();
      const all = own.allocate(500 * 64);
      fillAll(own, all, 500, true);
      const values = await own.read(all);
      for (let i = 0; i < 500; i++) expect([values[i * 64], values[i * 64 + 63]]).toEqual([i, i]);
      expect(own.memory().buffers).toBe(3);
      own.destroy();
    });

    test("two launches with the same parameters share them", async () => {
      const own = await another();
      const x = own.allocate(64);
      fill(own, x, 7);
      const { buffers } = own.memory();
      fill(own, x, 7);
      expect(own.memory().buffers).toBe(buffers);
      fill(own, x, 8);
      expect(own.memory().buffers).toBe(buffers + 1);
      expect((await own.read(x))[63]).toBe(8);
      own.destroy();
    });
  });

  describe("slices", () => {
    test("read, written, copied and used in launches, without touching what lies beside them", async () => {
      const whole = device.allocate(320);
      device.write(
        whole,
        Float32Array.from({ length: 320 }, (_, i) => i),
      );
      const [first, second, third] = [64, 128, 256].map((at) => device.slice(whole, at, 5));
      expect([...(await device.read(first))]).toEqual([64, 65, 66, 67, 68]);
      device.write(second, [1, 2, 3, 4, 5]);
      device.copy(first, third); // within one buffer
      const other = device.allocate(5);
      device.write(other, [10, 20, 30, 40, 50]);
      // What adds up in `first` comes from another buffer: WebGPU does not allow reading and writing the same
      // one.
      device.run(addTo, { buffers: { x: other, y: first }, params: { size: 5 }, grid: [1] });
      const values = await device.read(whole);
      const want = Float32Array.from({ length: 320 }, (_, i) => i);
      want.set([74, 85, 96, 107, 118], 64);
      want.set([1, 2, 3, 4, 5], 128);
      want.set([64, 65, 66, 67, 68], 256);
      expect(values).toEqual(want);
      for (const storage of [first, second, third, other, whole]) device.release(storage);
    });

    test("keep the whole alive", async () => {
      const { live } = device.memory();
      const whole = device.allocate(128);
      device.write(
        whole,
        Float32Array.from({ length: 128 }, (_, i) => i),
      );
      const part = device.slice(whole, 64, 2);
      const inner = device.slice(part, 0, 1);
      device.release(whole);
      device.release(part);
      expect(device.memory().live).toBe(live + 1);
      expect([...(await device.read(inner))]).toEqual([64]);
      device.release(inner);
      expect(device.memory().live).toBe(live);
    });
  });

  test("two kernels of one name are two kernels, and two objects of one text are one", async () => {
    const constant = (value: number) =>
      kernel(
        "constant",
        `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = ${value}; }`,
      );
    const y = device.allocate(1);
    const result = async (own: ReturnType<typeof kernel>) => {
      device.run(own, { buffers: { y }, grid: [1] });
      return (await device.read(y))[0];
    };
    expect([await result(constant(1)), await result(constant(2))]).toEqual([1, 2]);
    const { pipelines } = device.memory();
    expect(await result(constant(1))).toBe(1);
    expect(device.memory().pipelines).toBe(pipelines);
    device.release(y);
  });

  describe("compileAhead", () => {
    test("compiles each kernel once and computes nothing; the next run needs no new pipeline", async () => {
      const own = await another();
      const x = tensor([1, -2, 3], undefined, { device: own, requiresGrad: true });
      const y = own.allocate(4);
      own.write(y, [5, 5, 5, 5]);
      const body = () => {
        backward(sum(relu(mul(x, 2))));
        own.run(fillKernel, { buffers: { y }, params: { size: 4, value: 1 }, grid: [1] });
        own.copy(x.gpuStorage, own.slice(y, 0, 3));
      };
      const { live } = own.memory();
      await compileAhead(body, own);
      const { pipelines } = own.memory();
      expect(pipelines).toBeGreaterThan(3);
      expect([...(await own.read(y))]).toEqual([5, 5, 5, 5]);
      await compileAhead(body, own);
      body();
      expect([...(await own.read(y))]).toEqual([1, -2, 3, 1]);
      expect(own.memory()).toMatchObject({ pipelines });
      expect(own.memory().live).toBeGreaterThanOrEqual(live);
      own.destroy();
    });

    test("a kernel that does not compile rejects; a body that throws leaves the device usable", async () => {
      const own = await another();
      const y = own.allocate(4);
      const thrown = compileAhead(() => {
        throw new RangeError("nonsense");
      }, own);
      await expect(thrown).rejects.toThrow("nonsense");
      own.write(y, [1, 2, 3, 4]);
      expect([...(await own.read(y))]).toEqual([1, 2, 3, 4]);
      const compiled = compileAhead(() => own.run(wrong, { buffers: { y }, grid: [1] }), own);
      await expect(compiled).rejects.toThrow(/^Kernel wrong-kernel does not compile: .*no_such_thing/);
      own.destroy();
    });
  });

  describe("errors", () => {
    test("a kernel that does not compile: the next read rejects with its name and line", async () => {
      const own = await another();
      using _ = scope();
      const y = tensor([1, 2], undefined, { device: own });
      own.run(wrong, { buffers: { y: y.gpuStorage }, grid: [1] });
      const error = await y.data().catch((reason: Error) => reason);
      expect(error).toBeInstanceOf(GpuError);
      const { message } = error as Error;
      expect(message).toMatch(/^Kernel wrong-kernel does not compile: .*unresolved value 'no_such_thing'/);
      expect(message).toMatch(/ 6 {2} {2}y\[0\] = no_such_thing;/); // line 6, the prelude being empty
      // From now on every call throws: nothing computed on this device can be trusted.
      await expect(own.sync()).rejects.toThrow("Kernel wrong-kernel does not compile");
      expect(() => relu(y)).toThrow("Kernel wrong-kernel does not compile");
      expect(() => tensor([1], undefined, { device: own })).toThrow("Kernel wrong-kernel does not compile");
      own.destroy();
    });

    test("sync() rejects, too", async () => {
      const own = await another();
      const y = own.allocate(4);
      own.run(wrong, { buffers: { y }, grid: [1] });
      await expect(own.sync()).rejects.toThrow("Kernel wrong-kernel does not compile");
      own.destroy();
    });

    test("JavaScript's errors over a kernel's text hide none of WebGPU's that follow", async () => {
      const own = await another();
      const x = own.allocate(4);
      const launch = (constants: Record<string, number>) =>
        own.run(fillKernel, { buffers: { y: x }, params: { size: 4, value: 1 }, grid: [1], constants });
      expect(() => launch({ A: Number.NaN })).toThrow("the constant A must be a finite number");
      await expect(compileAhead(() => launch({ A: Number.NaN }), own)).rejects.toThrow(
        "the constant A must be",
      );
      const [message] = await own.checkKernel(fillKernel, { constants: { A: Number.NaN } });
      expect(message.text).toContain("the constant A must be a finite number");
      own.run(addTo, { buffers: { x, y: x }, params: { size: 4 }, grid: [1] });
      await expect(own.read(x)).rejects.toThrow(/writable usage and another usage/);
      own.destroy();
    });

    test("an invalid command: a launch that reads and writes the same buffer", async () => {
      const own = await another();
      const x = own.allocate(4);
      own.run(addTo, { buffers: { x, y: x }, params: { size: 4 }, grid: [1] });
      await expect(own.read(x)).rejects.toThrow(/^WebGPU on .* writable usage and another usage/);
      own.destroy();
    });

    test("a missing buffer, a missing parameter and a grid that is too large", () => {
      const y = device.allocate(4);
      const launch = { buffers: { y }, params: { size: 4, value: 1 }, grid: [1] } as const;
      expect(() => device.run(fillKernel, { ...launch, buffers: {} })).toThrow(
        "Kernel fill: the buffer for y is missing.",
      );
      expect(() => device.run(fillKernel, { ...launch, params: { size: 4 } })).toThrow(
        "Kernel fill: parameter value is missing.",
      );
      expect(() => device.run(fillKernel, { ...launch, grid: [1, 65536] })).toThrow(
        "Kernel fill: a grid of 1 x 65536 x 1 workgroups exceeds 65535 on one axis.",
      );
      for (const [grid, got] of [
        [4, "4"],
        [undefined, "undefined"],
        [[], "[]"],
        [[0], "[0]"],
        [[4, 0], "[4,0]"],
        [[1.5], "[1.5]"],
        [["4"], '["4"]'],
        [[1, 1, 1, 1], "[1,1,1,1]"],
      ] as const) {
        expect(() => device.run(fillKernel, { ...launch, grid: grid as never })).toThrow(
          "Kernel fill: grid is a list of one to three numbers of workgroups, such as linearGrid(size, 64), got " +
            `${got}.`,
        );
      }
      device.release(y);
    });

    test("a tensor larger than the adapter can bind names both sizes", async () => {
      const maxBytes = device.gpu.limits.maxStorageBufferBindingSize;
      const { live } = device.memory();
      const length = Math.floor(maxBytes / 4) + 1;
      const mebibytes = (maxBytes / 2 ** 20).toFixed(1);
      expect(() => device.allocate(length)).toThrow(GpuError);
      expect(() => device.allocate(length)).toThrow(
        `A tensor of ${length} elements (${mebibytes} MiB) is larger than ${device.name} can bind at once ` +
          `(${mebibytes} MiB). Work on smaller pictures, tiles or batches, or with a smaller network.`,
      );
      expect(device.memory().live).toBe(live);
    });

    test("a destroyed device", async () => {
      const own = await another();
      using _ = scope();
      const x = tensor([1, 2], undefined, { device: own });
      const pending = relu(x).data();
      own.destroy();
      own.destroy(); // harmless
      const message = `The device ${own.name} has been destroyed; call init() again.`;
      await expect(pending).rejects.toThrow(message);
      await expect(x.data()).rejects.toThrow(message);
      await expect(own.sync()).rejects.toThrow(message);
      expect(() => relu(x)).toThrow(message);
      expect(() => tensor([1], undefined, { device: own })).toThrow(message);
      expect(() => x.assign([3, 4])).toThrow(message);
      x.dispose();
      expect(own.memory().live).toBe(1); // relu's result; its scope is still open
    });

    test("a lost device", async () => {
      const own = await another();
      const x = own.allocate(4);
      own.gpu.destroy(); // behind the library's back
      await expect(own.read(x)).rejects.toThrow(/^The GPU device .* was lost \(destroyed\)/);
    });

    test("a device that is lost just after its result was mapped: nothing comes between that and the use", async () => {
      const own = await another();
      const x = own.allocate(4);
      own.write(x, [1, 2, 3, 4]);
      const createBuffer = own.gpu.createBuffer.bind(own.gpu);
      own.gpu.createBuffer = (descriptor) => {
        const buffer = createBuffer(descriptor);
        const getMappedRange = buffer.getMappedRange.bind(buffer);
        buffer.getMappedRange = (...range) => {
          // As other work of this program would, when its turn comes.
          queueMicrotask(() => own.gpu.destroy());
          return getMappedRange(...range);
        };
        return buffer;
      };
      expect(await own.readBytes(x, (bytes) => [...new Float32Array(bytes.slice().buffer)])).toEqual([
        1, 2, 3, 4,
      ]);
      await expect(own.read(x)).rejects.toThrow(/^The GPU device .* was lost \(destroyed\)/);
    });
  });

  /** Programs of their own: how they end, and what they print. */
  describe("programs", () => {
    const run = (lines: string) =>
      runCode(
        `import { init, relu, tensor } from "./src/node.ts";
         import { kernel } from "./src/device/kernel.ts";
         const device = await init({ adapter: "${device.adapterClass}" });
         const wrong = kernel("wrong-kernel", ${JSON.stringify(wrong.body)});
         const addTo = kernel("add-to", ${JSON.stringify(addTo.body)});
         const y = tensor([1, 2]);
         const compile = () => device.run(wrong, { buffers: { y: y.gpuStorage }, grid: [1] });
         ${lines}`,
      );

    test("that never look at a result fail all the same, and say why once", async () => {
      const [early, late, command] = await Promise.all([
        run("compile();"),
        run("compile(); device.flush(); await new Promise((resolve) => setTimeout(resolve, 50));"),
        run(
          `device.run(addTo, { buffers: { x: y.gpuStorage, y: y.gpuStorage }, params: { size: 2 }, grid: [1] });
           device.flush();`,
        ),
      ]);
      for (const { code, stdout, stderr } of [early, late]) {
        expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
        expect(stderr.match(/Kernel wrong-kernel does not compile/g)).toHaveLength(1);
      }
      expect({ code: command.code, stdout: command.stdout }).toEqual({ code: 1, stdout: "" });
      expect(command.stderr.match(/writable usage and another usage/g)).toHaveLength(1);
    });

    test("that catch the error go on, and nothing else is printed", async () => {
      const caught = await run(
        "compile(); await y.data().catch((e) => console.log(e.message.slice(0, 40)));",
      );
      expect(caught).toMatchObject({
        code: 0,
        stdout: "Kernel wrong-kernel does not compile: Er\n",
        stderr: "",
      });
    });

    test("that do nothing wrong end by themselves, also with work and reads pending", async () => {
      const pending = await run("relu(y); void relu(y).data(); console.log('done');");
      expect(pending).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
    });
  });
});

describe("an implementation from the program", () => {
  test("is used whatever the environment says, and its limits count", async () => {
    const gpu = create(["backend=null"]);
    const before = process.env.PIXELGRAD_ADAPTER;
    process.env.PIXELGRAD_ADAPTER = "no such adapter";
    const device = await openDevice({ gpu }).finally(() => {
      if (before === undefined) delete process.env.PIXELGRAD_ADAPTER;
      else process.env.PIXELGRAD_ADAPTER = before;
    });
    expect(device).toBeInstanceOf(GpuDevice);
    expect(device.allocate(2 ** 25).length).toBe(2 ** 25); // 128 MiB, exactly WebGPU's default
    expect(() => device.allocate(2 ** 25 + 1)).toThrow("(128.0 MiB)");
    using _ = scope();
    setDefaultDevice(device);
    sum(tensor([1, 2]));
    await device.sync();
    await expect(openDevice({ gpu, adapter: "lavapipe" })).rejects.toThrow(
      `No WebGPU adapter fits "lavapipe".`,
    );
    device.destroy();
  });

  test("stays alive as long as its device: Dawn crashes or hangs otherwise", async () => {
    const program = await runCode(`
      import { setFlagsFromString } from "node:v8";
      import { runInNewContext } from "node:vm";
      import { create } from "webgpu";
      import { init, relu, tensor } from "./src/node.ts";
      await init({ gpu: create(["backend=null"]) });
      setFlagsFromString("--expose_gc");
      const collect = runInNewContext("gc");
      for (let i = 0; i < 10; i++) {
        await relu(tensor([1, 2])).data();
        collect();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log("done");`);
    expect(program).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
  });

  test("goes with it: of a destroyed device, nothing stays in memory or in the driver", async () => {
    const program = await runCode(`
      import { setFlagsFromString } from "node:v8";
      import { runInNewContext } from "node:vm";
      import { create } from "webgpu";
      import { openDevice, relu, scope, tensor } from "./src/node.ts";
      setFlagsFromString("--expose_gc");
      const collect = runInNewContext("gc");
      async function use() {
        const device = await openDevice({ gpu: create(["backend=null"]) });
        const within = scope();
        await relu(tensor([1, 2], [2], { device })).data();
        within.end();
        device.destroy();
        return new WeakRef(device);
      }
      const devices = [];
      for (let i = 0; i < 5; i++) devices.push(await use());
      for (let i = 0; i < 20; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        collect();
      }
      console.log(devices.filter((device) => device.deref()).length);`);
    expect(program).toMatchObject({ code: 0, stdout: "0\n", stderr: "" });
  });
});

describe.each(devices.map((device) => [device.name, device] as const))("GPU time on %s", (_, device) => {
  test("grows with the work, leaves out the wait, and counts nothing from before or after", async () => {
    const exact = (await openDevice({
      adapter: device.adapterClass,
      dawn: ["exact-timestamps"],
    })) as GpuDevice;
    const [x, y] = [exact.allocate(2 ** 20), exact.allocate(2 ** 20)];
    const launch = () =>
      exact.run(addTo, { buffers: { x, y }, params: { size: 2 ** 20 }, grid: [2 ** 20 / 64] });
    const times = (count: number) => exact.timePasses(() => Array.from({ length: count }).forEach(launch));
    await times(1); // compiles
    launch();
    const none = await exact.timePasses(() => {});
    const start = performance.now();
    // The shortest of three: a busy machine may interrupt any of them.
    const one = Math.min((await times(1))!, (await times(1))!, (await times(1))!);
    const forty = (await times(40))!; // two passes
    const wall = performance.now() - start;
    expect(none).toBe(0);
    expect(one).toBeGreaterThan(0);
    expect(forty).toBeGreaterThan(5 * one);
    expect(one + forty).toBeLessThan(wall);
    launch();
    await exact.sync();
    exact.destroy();
  });

  test("of several bodies in one stream: each has its own, and a second stream may follow before the first is read", async () => {
    const exact = (await openDevice({
      adapter: device.adapterClass,
      dawn: ["exact-timestamps"],
    })) as GpuDevice;
    const [x, y] = [exact.allocate(2 ** 20), exact.allocate(2 ** 20)];
    const launches = (count: number) => () => {
      for (let i = 0; i < count; i++) {
        exact.run(addTo, { buffers: { x, y }, params: { size: 2 ** 20 }, grid: [2 ** 20 / 64] });
      }
    };
    await exact.timeEach([launches(1)]); // compiles
    const first = exact.timeEach([launches(40), () => {}, launches(1)]); // forty are two passes
    const second = exact.timeEach([launches(1), launches(40)]);
    const [[forty, none, one], [oneAgain, fortyAgain]] = [(await first)!, (await second)!];
    expect(none).toBe(0);
    expect(Math.min(one, oneAgain)).toBeGreaterThan(0);
    expect(forty).toBeGreaterThan(5 * one);
    expect(fortyAgain).toBeGreaterThan(5 * oneAgain);
    exact.destroy();
  });

  test("is unknown where it would be wrong: with more passes than can be timed", async () => {
    const y = device.allocate(4);
    const manyPasses = () => {
      for (let i = 0; i < 2049; i++) {
        fillOnce();
        device.flush();
      }
    };
    const fillOnce = () =>
      device.run(fillKernel, { buffers: { y }, params: { size: 4, value: 1 }, grid: [1] });
    expect(await device.timePasses(manyPasses)).toBeUndefined();
    expect(await device.timePasses(fillOnce)).toBeGreaterThanOrEqual(0);
    device.release(y);
  });
});
