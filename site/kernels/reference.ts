/**
 * What the steps should compute: the library's references, plain loops on the CPU in float64. For large layers
 * they would take minutes, and compute a part of the values. All others are those of step 1 on the card, once
 * that part of them has proved right.
 */
import { backward, conv2d, type Device, mul, openDevice, scope, sum, tensor } from "../../src/index.ts";
import { multiplyAdds } from "./layers.ts";
import type { Check, Layer } from "./messages.ts";

/** As bench/conv2d.ts allows: a share of the largest value. */
const TOLERANCE = 2e-5;

/** How many multiply-adds a reference computes: a second's work or two. */
const MOST = 160e6;
/** And at once, before the worker looks whether somebody wants it to stop. */
const AT_ONCE = 12e6;

/** The operands as they lie in memory: x [n, c, h, w], weights [o, c, k, k], dy [n, o, h, w]. */
export interface Operands {
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly dy: Float32Array;
}

export interface Reference {
  readonly shape: readonly number[];
  /** Where nobody has computed a value yet, NaN. */
  readonly want: Float32Array;
  /** The places that the CPU computed; undefined if it computed all. */
  readonly places: Uint32Array | undefined;
}

export interface Progress {
  readonly signal: AbortSignal;
  /** `done` is the share of the work that is done. */
  readonly report: (done: number) => void;
}

let cpu: Device | undefined;

/** Lets messages in, such as a request to stop. */
async function breathe({ signal }: Progress): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
}

/** y, band by band. */
export async function referenceOfY(layer: Layer, operands: Operands, progress: Progress): Promise<Reference> {
  const { batch, inputs: c, outputs: o, window: k, side } = layer;
  cpu ??= await openDevice({ adapter: "cpu", precision: "float64" });
  const perRow = multiplyAdds(layer) / batch / side;
  const whole = multiplyAdds(layer) <= MOST;
  // The first rows, some in the middle, and the last: with the zeros around the picture, and without.
  const few = 4;
  const bands = whole
    ? Array.from({ length: batch }, (_, n) => ({ n, first: 0, end: side }))
    : [0, Math.floor((side - few) / 2), side - few].map((first, i) => {
        return { n: Math.floor((i * (batch - 1)) / 2), first, end: first + few };
      });
  const atOnce = Math.max(1, Math.floor(AT_ONCE / perRow));
  const rows = bands.reduce((total, { first, end }) => total + end - first, 0);
  const want = new Float32Array(batch * o * side * side).fill(Number.NaN);
  const places: number[] = [];
  const pad = (k - 1) / 2;
  let done = 0;
  for (const { n, first, end } of bands) {
    for (let row = first; row < end; row += atOnce) {
      const count = Math.min(atOnce, end - row);
      // The rows that the window sees, with zeros above and below the picture.
      const slab = new Float32Array(c * (count + 2 * pad) * side);
      for (let channel = 0; channel < c; channel++) {
        for (let i = 0; i < count + 2 * pad; i++) {
          const from = row + i - pad;
          if (from < 0 || from >= side) continue;
          const start = ((n * c + channel) * side + from) * side;
          slab.set(operands.x.subarray(start, start + side), (channel * (count + 2 * pad) + i) * side);
        }
      }
      using _ = scope();
      const xs = tensor(slab, [1, c, count + 2 * pad, side], { device: cpu });
      const ws = tensor(operands.weight, [o, c, k, k], { device: cpu });
      const y = await conv2d(xs, ws, undefined, { padding: [0, pad] }).data();
      for (let channel = 0; channel < o; channel++) {
        const to = ((n * o + channel) * side + row) * side;
        want.set(y.subarray(channel * count * side, (channel + 1) * count * side), to);
        if (!whole) for (let i = 0; i < count * side; i++) places.push(to + i);
      }
      done += count;
      progress.report(done / rows);
      await breathe(progress);
    }
  }
  return { shape: [batch, o, side, side], want, places: whole ? undefined : Uint32Array.from(places) };
}

/** dw, some output channels at a time, by the library's own backward(). */
export async function referenceOfDw(
  layer: Layer,
  operands: Operands,
  progress: Progress,
): Promise<Reference> {
  const { batch, inputs: c, outputs: o, window: k, side } = layer;
  cpu ??= await openDevice({ adapter: "cpu", precision: "float64" });
  const perOutput = multiplyAdds(layer) / o;
  const whole = 2 * multiplyAdds(layer) <= MOST;
  // All input channels of some output channels; of the largest layers, single pairs. backward() needs the forward
  // pass, too, and its loops take longer.
  const affordable = whole ? o : Math.floor(MOST / 4 / perOutput);
  const spread = (count: number, of: number) =>
    Array.from({ length: Math.min(count, of) }, (_, i) =>
      count >= of ? i : Math.round((i * (of - 1)) / Math.max(1, count - 1)),
    );
  const blocks =
    affordable >= 2
      ? spread(affordable, o).map((output) => ({ output, channels: spread(c, c) }))
      : spread(8, o).map((output, i) => ({ output, channels: [(i * 5) % c] }));
  const area = side * side;
  const planesOf = (data: Float32Array, channels: number, wanted: readonly number[]) => {
    const planes = new Float32Array(batch * wanted.length * area);
    for (let n = 0; n < batch; n++) {
      for (const [i, channel] of wanted.entries()) {
        const start = (n * channels + channel) * area;
        planes.set(data.subarray(start, start + area), (n * wanted.length + i) * area);
      }
    }
    return planes;
  };
  const want = new Float32Array(o * c * k * k).fill(Number.NaN);
  const places: number[] = [];
  for (const [i, { output, channels }] of blocks.entries()) {
    using _ = scope();
    const device = cpu;
    const shape = [batch, channels.length, side, side];
    const xs = tensor(planesOf(operands.x, c, channels), shape, { device });
    const ws = tensor(new Float32Array(channels.length * k * k), [1, channels.length, k, k], {
      ...{ device, requiresGrad: true },
    });
    const dy = tensor(planesOf(operands.dy, o, [output]), [batch, 1, side, side], { device });
    // The sum of y times dy has dy as its gradient with respect to y, and dw as that with respect to w.
    const loss = sum(mul(conv2d(xs, ws, undefined, { padding: (k - 1) / 2 }), dy));
    const dw = await backward(loss, [ws]).get(ws)!.data();
    for (const [at, channel] of channels.entries()) {
      const to = (output * c + channel) * k * k;
      want.set(dw.subarray(at * k * k, (at + 1) * k * k), to);
      if (!whole) for (let tap = 0; tap < k * k; tap++) places.push(to + tap);
    }
    progress.report((i + 1) / blocks.length);
    await breathe(progress);
  }
  return { shape: [o, c, k, k], want, places: whole ? undefined : Uint32Array.from(places) };
}

/**
 * Compares a result with the reference. The first one, that of step 1 as it is, also fills in what the CPU has not
 * computed.
 */
export function compare({ shape, want, places }: Reference, got: Float32Array): Check {
  const fillIn = places !== undefined && want.some(Number.isNaN);
  const size = want.reduce((largest, value) => Math.max(largest, Math.abs(value) || 0), 0) || 1;
  let worst = 0;
  let largest = 0;
  const look = (i: number) => {
    const difference = Math.abs(got[i] - want[i]);
    if (difference <= largest || Number.isNaN(largest)) return;
    [worst, largest] = [i, difference]; // NaN is larger than everything
  };
  if (fillIn) {
    for (const i of places) look(i);
    for (let i = 0; i < want.length; i++) if (Number.isNaN(want[i])) want[i] = got[i];
  } else {
    for (let i = 0; i < want.length; i++) look(i);
  }
  const error = largest / size;
  return {
    right: error <= TOLERANCE,
    error,
    at: placeOf(worst, shape),
    ...{ got: got[worst], want: want[worst] },
    ...{ byReference: places?.length ?? want.length, values: want.length },
  };
}

/** The index on each axis of an element. */
function placeOf(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}
