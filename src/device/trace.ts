/**
 * Where time goes: what JavaScript does, what it waits for, and every kernel on the GPU, each with its beginning
 * and end. The result is a file in Chrome's trace format, which chrome://tracing, ui.perfetto.dev and others
 * draw as lanes over time. docs/profiling.md reads one.
 */
import { ArgumentError } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";

/** Later events are only counted, so that the file stays of a size that viewers open. */
const MAX_EVENTS = 500_000;

const lanes = { javascript: 1, gpu: 2 } as const;

/** Something that took time; `start` and `end` are milliseconds of performance.now(). */
export interface TraceEvent {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Waits may overlap, so each has a lane of its own. */
  readonly lane: keyof typeof lanes | "wait";
}

/** Where the time of a program goes: what `startTrace` returns. `toJson` gives it in Chrome's trace format. */
export class Trace {
  readonly #events: TraceEvent[] = [];
  #leftOut = 0;
  /** What is still being measured. */
  readonly #pending = new Set<Promise<void>>();

  add(event: TraceEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
    else this.#leftOut++;
  }

  /** `toJson` waits for this. */
  expect(measurement: Promise<void>): void {
    const done = measurement.catch(() => {}).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  /** Ends the trace. The file's text, and how many events it leaves out. */
  async toJson(): Promise<{ text: string; events: number; leftOut: number }> {
    if (active === this) active = undefined;
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const names = Object.entries({ JavaScript: 1, GPU: 2 }).map(([name, tid]) => ({
      name: "thread_name",
      ph: "M",
      pid: 1,
      tid,
      args: { name },
    }));
    const microseconds = (ms: number) => Math.round(ms * 1e3 * 1e3) / 1e3;
    const traceEvents = this.#events.flatMap(({ name, start, end, lane }, id): object[] => {
      const common = { name, cat: lane, pid: 1, ts: microseconds(start) };
      if (lane !== "wait") return [{ ...common, ph: "X", tid: lanes[lane], dur: microseconds(end - start) }];
      const begins = { ...common, ph: "b", tid: lanes.javascript, id };
      return [begins, { ...begins, ph: "e", ts: microseconds(end) }];
    });
    const lines = [...names, ...traceEvents].map((event) => JSON.stringify(event));
    return {
      text: `{"displayTimeUnit":"ms","traceEvents":[\n${lines.join(",\n")}\n]}\n`,
      events: this.#events.length,
      leftOut: this.#leftOut,
    };
  }
}

let active: Trace | undefined;

/** Begins a trace of everything that this program does from now on, on all devices. */
export function startTrace(): Trace {
  active = new Trace();
  return active;
}

export function activeTrace(): Trace | undefined {
  return active;
}

/**
 * Runs a function and returns its result; under a trace, its time appears there under this name. An async
 * function counts as waiting.
 */
export function span<T>(name: string, body: () => T): T {
  if (typeof name !== "string" || typeof body !== "function") {
    throw new ArgumentError("span", `wants a name and a function, got ${quote(name)} and ${quote(body)}.`);
  }
  const trace = active;
  if (!trace) return body();
  const start = performance.now();
  const result = body();
  if (result instanceof Promise) {
    const ended = () => trace.add({ name, start, end: performance.now(), lane: "wait" });
    result.then(ended, ended);
  } else {
    trace.add({ name, start, end: performance.now(), lane: "javascript" });
  }
  return result;
}

/** Constants of WebGPU's specification. Browsers have them as globals, Node does not. */
const USAGE = { MAP_READ: 0x01, COPY_SRC: 0x04, COPY_DST: 0x08, QUERY_RESOLVE: 0x200 };
const MAP_MODE_READ = 0x1;

/** Gives launches timestamps, one pass for each, and puts them into a trace. */
export class KernelTimer {
  readonly trace: Trace;
  readonly #gpu: GPUDevice;
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>;
  readonly #capacity: number;
  /** What must be added to the GPU's clock to get performance.now(), in milliseconds; undefined until known. */
  readonly #offset: Promise<number>;
  #queries: GPUQuerySet | undefined;
  #names: string[] = [];

  /** @param capacity launches between two submits, at most. */
  constructor(trace: Trace, gpu: GPUDevice, capacity: number, wait: <T>(promise: Promise<T>) => Promise<T>) {
    this.trace = trace;
    this.#gpu = gpu;
    this.#capacity = capacity;
    this.#wait = wait;
    this.#offset = this.#compareClocks();
  }

  /** The timestamps that a pass with one launch of this kernel is to write, for its descriptor. */
  next(name: string): GPUComputePassTimestampWrites {
    this.#queries ??= this.#gpu.createQuerySet({ type: "timestamp", count: 2 * this.#capacity });
    const first = 2 * (this.#names.push(name) - 1);
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Puts the timestamps since the last submit into `encoder`'s commands, before a submit. Call the result after it. */
  resolve(encoder: GPUCommandEncoder): () => void {
    const [queries, names] = [this.#queries, this.#names];
    if (!queries) return () => {};
    [this.#queries, this.#names] = [undefined, []];
    const read = this.#read(encoder, queries, names.length);
    return () => {
      const measurement = Promise.all([read(), this.#offset]).then(([times, offset]) => {
        for (const [i, name] of names.entries()) {
          const [start, end] = [times[2 * i] + offset, times[2 * i + 1] + offset];
          this.trace.add({ name, start, end, lane: "gpu" });
        }
      });
      this.trace.expect(measurement);
    };
  }

  /** The result reads the timestamps, in milliseconds of the GPU's clock, once the commands are submitted. */
  #read(encoder: GPUCommandEncoder, queries: GPUQuerySet, launches: number): () => Promise<number[]> {
    const size = 16 * launches;
    const resolved = this.#gpu.createBuffer({ size, usage: USAGE.QUERY_RESOLVE | USAGE.COPY_SRC });
    const staging = this.#gpu.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST });
    encoder.resolveQuerySet(queries, 0, 2 * launches, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    return async () => {
      await this.#wait(staging.mapAsync(MAP_MODE_READ));
      const times = Array.from(new BigUint64Array(staging.getMappedRange()), (time) => Number(time) / 1e6);
      for (const owned of [staging, resolved, queries]) owned.destroy();
      return times;
    };
  }

  /**
   * Nobody says how the two clocks belong together. An empty pass ends just before JavaScript learns of it, so
   * the shortest of a few such ways comes close. The GPU's lane is late by that much.
   */
  async #compareClocks(): Promise<number> {
    let offset = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i++) {
      const queries = this.#gpu.createQuerySet({ type: "timestamp", count: 2 });
      const encoder = this.#gpu.createCommandEncoder();
      const timestampWrites = { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
      encoder.beginComputePass({ timestampWrites }).end();
      const read = this.#read(encoder, queries, 1);
      this.#gpu.queue.submit([encoder.finish()]);
      await this.#wait(this.#gpu.queue.onSubmittedWorkDone());
      const now = performance.now();
      offset = Math.min(offset, now - (await read())[1]);
    }
    return offset;
  }
}
