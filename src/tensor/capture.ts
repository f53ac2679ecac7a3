/**
 * Work that repeats: a training step, or a network on tiles of one size. JavaScript builds its graph once; the
 * device keeps the list of GPU commands that this issued (src/device/capture.ts), and issues that list again.
 * The engine can be read without this file: everything works when nothing is captured.
 */
import type { Capture } from "../device/capture.ts";
import { type GpuDevice, isGpu } from "../device/gpu-device.ts";
import { LruCache } from "../device/lru.ts";
import { defaultDevice } from "../device/open.ts";
import { ArgumentError, aFunction, checkArguments, listOf } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { keep, outsideScopes, scope } from "./scope.ts";
import { formatShape } from "./shape.ts";
import { aTensor, Tensor } from "./tensor.ts";

/** Work whose commands are kept for so many combinations of input shapes. */
const MAX_SHAPES = 8;
/** Work that cannot be replayed so often in a row is not captured any more. */
const MAX_FAILURES = 3;

/** What a body returns. */
type Results = Tensor | readonly Tensor[];

/** Does the work of a body; see {@link capture}. */
export interface Captured<R extends Results> {
  (...inputs: Tensor[]): R;
  /** How the last call was done: `undefined` if by replay, else why not. For tests and the curious. */
  readonly whyBuilt: string | undefined;
  /** Forgets the commands, and frees the memory that they hold: that of the inputs and results. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Makes work fast that repeats, as PyTorch's CUDA graphs do. The first call of the result calls `body` and
 * keeps the list of GPU commands that it issued. Later calls with inputs of the same shapes only issue this
 * list again, which takes a small part of the time that JavaScript needs for the body:
 *
 *     const step = capture((low, high) => {
 *       const loss = l1Loss(model.forward(low), high);
 *       adam.step(backward(loss));
 *       return loss;
 *     });
 *     for (…) {
 *       using _ = scope();
 *       const loss = step(tensor(lowValues, shape), tensor(highValues, largeShape));
 *     }
 *
 * The numbers are the same to the last bit. What the body must keep to, since its JavaScript does not run in
 * a replay:
 *
 * - What differs from call to call comes in through the inputs, or changes in place, as parameters do.
 *   Optimizers count their steps and read `lr` at each replay. A number that the body computes in JavaScript
 *   stays what it was.
 * - It is synchronous and reads no values. Its results are its only way out, and have no gradient.
 *
 * Where replaying would be wrong, the body is called as at first, and `whyBuilt` says why: shapes or devices
 * that are new, memory that is in use elsewhere by now, a body that makes tensors from JavaScript's values
 * or keeps some of its own. On the CPU device the body is always called. Results belong to the caller's
 * scope; inputs stay the caller's.
 */
export function capture<R extends Results>(body: (...inputs: Tensor[]) => R): Captured<R> {
  checkArguments("capture", { "the first argument": [body, aFunction] });
  const works = new LruCache<string, Work<R>>(MAX_SHAPES, (work) => work.dispose());
  let why: string | undefined;

  function run(...inputs: Tensor[]): R {
    checkArguments("The function of capture", { "its arguments": [inputs, listOf(aTensor)] });
    if (inputs.some(({ requiresGrad, node }) => requiresGrad || node)) {
      throw new RangeError(
        "The function of capture: an input wants a gradient or was computed from such a tensor, and no gradient " +
          "flows out of captured work. Compute everything from the parameters to backward() in the body.",
      );
    }
    const device = inputs[0]?.device ?? defaultDevice();
    if (!isGpu(device) || !device.replays || device.capturing) {
      why = "it does not run on a GPU, the device replays nothing, or it is a part of captured work";
      return body(...inputs);
    }
    const shapes = inputs.map(({ shape, dtype }) => formatShape(shape) + dtype).join();
    let work = works.get(shapes, () => new Work(body, inputs, device));
    if (work.device !== device) {
      works.clear();
      work = works.get(shapes, () => new Work(body, inputs, device));
    }
    const results = work.run(inputs);
    why = work.whyBuilt;
    return results;
  }

  const dispose = () => works.clear();
  const members = { dispose, [Symbol.dispose]: dispose, whyBuilt: undefined };
  return Object.defineProperty(Object.assign(run, members), "whyBuilt", { get: () => why });
}

/** A body with inputs of certain shapes, on one device. */
class Work<R extends Results> {
  readonly device: GpuDevice;
  whyBuilt: string | undefined;
  readonly #body: (...inputs: Tensor[]) => R;
  /** Memory of its own for the inputs and the results, which the commands name. */
  readonly #inputs: readonly Tensor[];
  #results: R | undefined;
  #commands: Capture | undefined;
  #failures = 0;

  constructor(body: (...inputs: Tensor[]) => R, inputs: readonly Tensor[], device: GpuDevice) {
    this.#body = body;
    this.device = device;
    this.#inputs = outsideScopes(() =>
      inputs.map(({ shape, dtype }) => Tensor.empty(shape, device, "capture", dtype)),
    );
  }

  run(inputs: readonly Tensor[]): R {
    if (this.#failures >= MAX_FAILURES) return this.#body(...inputs);
    for (const [i, { gpuStorage }] of inputs.entries())
      this.device.copy(gpuStorage, this.#inputs[i].gpuStorage);
    if (this.#commands?.isValid()) {
      this.device.replay(this.#commands);
      this.whyBuilt = undefined;
    } else {
      this.#build();
    }
    return each(this.#results as R, (result) => {
      const copy = Tensor.empty(result.shape, this.device, "capture", result.dtype);
      this.device.copy(result.gpuStorage, copy.gpuStorage);
      return copy;
    });
  }

  #build(): void {
    this.whyBuilt = this.#commands
      ? "its memory is in use elsewhere by now, or a tensor that it uses, or something in the same memory, has moved"
      : "its shapes are new";
    this.#forget();
    const commands = this.device.capture(() =>
      outsideScopes(() => {
        using _ = scope();
        const results = this.#body(...this.#inputs);
        // A view, for a result may be a tensor that the body did not make.
        this.#results = each(results, (result) => keep(result.alias(result.shape)));
        return [this.#results].flat().map((result) => (result as Tensor).gpuStorage);
      }),
    );
    this.#failures = commands.obstacle ? this.#failures + 1 : 0;
    this.#commands = commands.obstacle ? undefined : commands;
    if (!commands.obstacle) return;
    this.whyBuilt = commands.obstacle;
    commands.dispose();
  }

  #forget(): void {
    this.#commands?.dispose();
    this.#commands = undefined;
    if (this.#results) for (const result of [this.#results].flat()) (result as Tensor).dispose();
    this.#results = undefined;
  }

  dispose(): void {
    this.#forget();
    for (const input of this.#inputs) input.dispose();
  }
}

/** The results, each passed through `change`. */
function each<R extends Results>(results: R, change: (result: Tensor) => Tensor): R {
  if (results instanceof Tensor) return change(results) as R;
  if (Array.isArray(results) && results.every(aTensor.fits)) return results.map(change) as R & unknown[];
  throw new ArgumentError(
    "capture",
    `the body must return a tensor or a list of tensors, got ${quote(results)}. It cannot be async.`,
  );
}
