/** Which tensors end with a scope, and which do not. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { add } from "../../src/kernels/elementwise/index.ts";
import { reshape } from "../../src/kernels/layout/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { keep, outsideScopes, scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  let before = 0;
  /** How many storages are new since the test began. */
  const live = () => device.memory().live - before;
  beforeEach(() => {
    setDefaultDevice(device);
    before = device.memory().live;
  });

  test("a scope disposes its own tensors, and nothing else", async () => {
    const outside = tensor([1, 2]);
    let inside: Tensor;
    {
      using _ = scope();
      inside = add(outside, 1);
      reshape(add(inside, inside), [2, 1]);
      expect(live()).toBe(3);
    }
    expect(live()).toBe(1);
    expect(inside.disposed).toBe(true);
    expect([...(await outside.data())]).toEqual([1, 2]);
    outside.dispose();
    expect(live()).toBe(0);
  });

  test("scopes nest", () => {
    using outer = scope();
    const a = tensor(1);
    {
      using _ = scope();
      const b = tensor(2);
      {
        using _ = scope();
        tensor(3);
        expect(live()).toBe(3);
      }
      expect([a.disposed, b.disposed, live()]).toEqual([false, false, 2]);
    }
    const c = tensor(4); // belongs to the outer scope again
    expect(live()).toBe(2);
    outer.end();
    expect([a.disposed, c.disposed, live()]).toEqual([true, true, 0]);
  });

  test("what is made outside scopes outlives all that are open, and scopes in there work as ever", () => {
    using outer = scope();
    using inner = scope();
    const [inside, kept, lasting] = outsideScopes(() => {
      using _ = scope();
      return [tensor(1), keep(tensor(2)), keep(add(tensor(3), 1))];
    });
    expect([inside.disposed, kept.disposed, lasting.disposed]).toEqual([true, false, false]);
    expect(() =>
      outsideScopes(() => {
        throw new Error("in there");
      }),
    ).toThrow("in there");
    const after = tensor(5); // the scopes are open again
    inner.end();
    expect([after.disposed, kept.disposed]).toEqual([true, false]);
    outer.end();
    expect([kept.disposed, lasting.disposed]).toEqual([false, false]);
    kept.dispose();
    lasting.dispose();
    expect(live()).toBe(0);
  });

  test("outsideScopes refuses a function that is not over when it returns", () => {
    using outer = scope();
    const refused: (() => unknown)[] = [
      async () => {
        await null;
        return 1;
      },
      async () => {
        throw new Error("later");
      },
      () => Promise.resolve(1),
    ];
    for (const body of refused) {
      expect(() => outsideScopes(body)).toThrow(RangeError);
      expect(() => outsideScopes(body)).toThrow(/^outsideScopes: the function returned a promise/);
    }
    const after = tensor(1); // the scope is open again
    outer.end();
    expect(after.disposed).toBe(true);
  });

  test("keep moves a tensor one scope outwards", async () => {
    const outer = scope();
    const inner = scope();
    const once = keep(tensor([1, 2]));
    const twice = keep(keep(tensor([3, 4])));
    inner.end();
    expect([...(await once.data())]).toEqual([1, 2]);
    outer.end();
    expect(once.disposed).toBe(true);
    expect([...(await twice.data())]).toEqual([3, 4]);
    expect(keep(twice)).toBe(twice); // outside all scopes it changes nothing
    twice.dispose();
    expect(live()).toBe(0);
  });

  test("keep moves a tensor out of the scope it belongs to, even if that is not the innermost", () => {
    const outer = scope();
    const a = tensor(1);
    const inner = scope();
    keep(a);
    inner.end();
    outer.end();
    expect(a.disposed).toBe(false);
    a.dispose();
  });

  test("a view outlives its tensor if it is moved out", async () => {
    let view: Tensor;
    {
      using _ = scope();
      view = keep(reshape(tensor([1, 2, 3, 4]), [2, 2]));
    }
    expect(live()).toBe(1);
    expect([...(await view.data())]).toEqual([1, 2, 3, 4]);
    view.dispose();
    expect(live()).toBe(0);
  });

  test("a tensor disposed before its scope ends is not given back twice", () => {
    {
      using own = scope();
      tensor(1).dispose();
      expect(live()).toBe(0);
      expect(own.tensors.size).toBe(0); // nor remembered after that
    }
    expect(live()).toBe(0);
  });

  test("an error disposes the tensors, in inner scopes, too", () => {
    const fail = () => {
      using _ = scope();
      tensor(1);
      scope(); // never ended
      tensor(2);
      throw new Error("on purpose");
    };
    expect(fail).toThrow("on purpose");
    expect(live()).toBe(0);
    const after = tensor(3); // belongs to no scope
    expect(after.disposed).toBe(false);
    after.dispose();
  });

  test("a scope stays open across await, even when the awaited work fails", async () => {
    const work = async (fail: boolean) => {
      using _ = scope();
      const a = tensor([1, 2]);
      const sum = add(a, a);
      expect([...(await sum.data())]).toEqual([2, 4]);
      const later = add(sum, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect([...(await later.data())]).toEqual([3, 5]);
      expect(live()).toBe(3);
      if (fail) await Promise.reject(new Error("on purpose"));
      return later;
    };
    const returned = await work(false);
    expect([returned.disposed, live()]).toEqual([true, 0]);
    await expect(work(true)).rejects.toThrow("on purpose");
    expect(live()).toBe(0);
  });

  test("values read before the scope ended arrive after it", async () => {
    let values: Promise<Float32Array>;
    {
      using _ = scope();
      values = add(tensor([1, 2]), 1).data();
    }
    // Takes the memory that has just been given back.
    const other = tensor([8, 9]);
    expect([...(await values)]).toEqual([2, 3]);
    other.dispose();
  });

  test("a function in a scope returns its result, whose tensors are moved out", async () => {
    const outer = scope();
    const a = tensor([1, 2]);
    let lost: Tensor | undefined;
    const one = scope(() => {
      lost = add(a, 1);
      return add(lost, 1);
    });
    expect([lost!.disposed, [...(await one.data())]]).toEqual([true, [3, 4]]);
    const circle: { tensors: Tensor[]; self?: object } = { tensors: [] };
    const { list, map, plain } = scope(() => {
      circle.tensors.push(add(a, 2));
      circle.self = circle;
      return { list: [tensor(1), [tensor(2)]] as const, map: new Map([[a, tensor(3)]]), plain: circle };
    });
    const all = [list[0], list[1][0], map.get(a)!, plain.tensors[0]];
    expect(all.map(({ disposed }) => disposed)).toEqual([false, false, false, false]);
    expect(scope(() => 7)).toBe(7);
    outer.end(); // they belong to the scope around
    expect([a, one, ...all].every(({ disposed }) => disposed)).toBe(true);
    expect(live()).toBe(0);
  });

  test("an error ends the scope of a function, too", () => {
    const fail = () =>
      scope((): number => {
        tensor(1);
        throw new Error("on purpose");
      });
    expect(fail).toThrow("on purpose");
    expect(live()).toBe(0);
  });

  test("the scope of an async function lasts until its promise settles", async () => {
    const work = (fail: boolean) =>
      scope(async () => {
        const a = tensor([1, 2]);
        await new Promise((resolve) => setTimeout(resolve, 1));
        expect(a.disposed).toBe(false);
        if (fail) throw new Error("on purpose");
        return add(a, 1);
      });
    const result = await work(false);
    expect([...(await result.data()), live()]).toEqual([2, 3, 1]);
    result.dispose();
    await expect(work(true)).rejects.toThrow("on purpose");
    expect(live()).toBe(0);
  });

  test("ending a scope twice is harmless", () => {
    const outer = scope();
    const inner = scope();
    inner.end();
    const a = tensor(1);
    inner.end();
    expect(a.disposed).toBe(false);
    outer.end();
    outer[Symbol.dispose]();
    expect(live()).toBe(0);
  });
});

test("results that pile up outside all scopes are noticed once", async () => {
  const [, gpu] = devices;
  setDefaultDevice(gpu);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  // A copy of the modules that has warned of nothing yet.
  vi.resetModules();
  const fresh = await import("../../src/index.ts");
  fresh.setDefaultDevice(gpu);
  const x = fresh.tensor([1]);
  const made: { dispose(): void }[] = [];
  const compute = (times: number) => {
    for (let i = 0; i < times; i++) made.push(fresh.add(x, 1));
  };
  try {
    for (let i = 0; i < 1000; i++) fresh.add(x, 1).dispose(); // a program that cleans up
    fresh.scope(() => compute(1000)); // in a scope
    fresh.outsideScopes(() => compute(1000)); // on purpose
    for (let i = 0; i < 1000; i++) made.push(fresh.zeros([1])); // as parameters are made
    compute(499);
    expect(warn).not.toHaveBeenCalled();
    compute(1000);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain("500 results of operations are in the device's memory");
    expect(warn.mock.calls[0][0]).toContain("using _ = scope(); or put the work into scope(() => { … })");
  } finally {
    for (const tensor of made) tensor.dispose();
    warn.mockRestore();
  }
});
