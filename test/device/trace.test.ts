/** A trace has every kernel, in order, and where JavaScript waited. */
import { afterEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { activeTrace, span, startTrace } from "../../src/device/trace.ts";
import { add, capture, relu, scope, tensor } from "../../src/node.ts";
import { gpuDevices } from "../support/devices.ts";

interface Event {
  readonly name: string;
  readonly cat: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
}

async function eventsOf(body: () => Promise<void>): Promise<Event[]> {
  const trace = startTrace();
  await body();
  const { text, events, leftOut } = await trace.toJson();
  const { traceEvents } = JSON.parse(text) as { traceEvents: Event[] };
  const all = traceEvents.filter(({ ph }) => ph !== "M");
  expect(all.filter(({ ph }) => ph !== "e")).toHaveLength(events);
  expect(leftOut).toBe(0);
  return all;
}

afterEach(() => expect(activeTrace()).toBeUndefined());

describe.each((await gpuDevices()).map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test("kernels, built and replayed, and what JavaScript does around them", async () => {
    setDefaultDevice(device);
    using _ = scope();
    using twice = capture((x) => add(relu(x), x));
    const x = tensor([3]);
    for (let i = 0; i < 3; i++) twice(x);
    const start = performance.now();
    const events = await eventsOf(async () => {
      for (let i = 0; i < 40; i++) span("call", () => twice(x));
      await span("read", () => twice(x).data());
    });
    expect(twice.whyBuilt).toBeUndefined();
    const end = performance.now();
    const gpu = events.filter(({ cat }) => cat === "gpu");
    if (device.gpu.features.has("timestamp-query")) {
      expect(gpu.map(({ name }) => name)).toEqual(Array(41).fill(["unary", "binary-same-shape"]).flat());
      const slack = 1000; // the two clocks are compared by experiment, which a busy machine may interrupt
      for (const { ts, dur } of gpu) {
        expect(dur).toBeGreaterThanOrEqual(0);
        expect(ts / 1e3).toBeGreaterThan(start - slack);
        expect((ts + dur) / 1e3).toBeLessThan(end + slack);
      }
    } else {
      expect(gpu).toEqual([]);
    }
    const named = (name: string, ph: string) =>
      events.filter((event) => event.name === name && event.ph === ph).length;
    expect([named("call", "X"), named("read", "b"), named("read", "e")]).toEqual([40, 1, 1]);
    expect([named("wait for a result", "b"), named("submit", "X") > 0]).toEqual([1, true]);
    expect(await twice(x).item()).toBe(6); // and nothing is left of it
  });
});

test("a function that fails is in the trace, and its error goes on", async () => {
  const events = await eventsOf(async () => {
    await expect(span("late", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(span("sum", () => 1 + 1)).toBe(2);
  });
  expect(events.map(({ name, ph }) => [name, ph])).toEqual([
    ["late", "b"],
    ["late", "e"],
    ["sum", "X"],
  ]);
});
