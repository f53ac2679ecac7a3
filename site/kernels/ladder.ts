/** In the worker: the ladder's steps on the card, checked, then timed in turns; and steps that somebody has edited. */
import { full, GpuError, Random, scope, type Tensor, tensor } from "../../src/index.ts";
import {
  type Ceilings,
  type Conv2dStep,
  conv2dSteps,
  facts,
  type GpuDevice,
  kernel,
  launchStep,
  limitOf,
  measureCeilings,
  type Times,
  timeInTurns,
  wgslSource,
} from "../../src/kernel.ts";
import type { Context } from "../serve-tasks.ts";
import { type Card, describeDevice } from "./card.ts";
import { fittingLayer, multiplyAdds } from "./layers.ts";
import type {
  Check,
  Edit,
  EditResult,
  Layer,
  MeasureEvent,
  Phase,
  Results,
  StepInfo,
  StepResult,
  StepTimes,
} from "./messages.ts";
import { compare, type Operands, type Reference, referenceOfDw, referenceOfY } from "./reference.ts";

type MeasureContext = Pick<Context<MeasureEvent>, "signal" | "report">;

/** How the steps are described where there is no GPU: as on an NVIDIA card. */
const imagined = { ...facts.nvidia, subgroupSize: 32, float16: false, maxTensorBytes: 2 ** 27 };

/** A layer's numbers, and what its steps should make of them. */
interface Numbers {
  readonly layer: Layer;
  readonly operands: Operands;
  readonly references: { readonly y: Reference; readonly dw: Reference };
}

/** The operands on a device. */
interface OnDevice {
  readonly numbers: Numbers;
  readonly device: GpuDevice;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly dy: Tensor;
}

export class Ladder {
  readonly #card: Card;
  #numbers: Numbers | undefined;
  #onDevice: OnDevice | undefined;
  readonly #ceilings = new WeakMap<GpuDevice, Ceilings>();
  #edits = 0;

  constructor(card: Card) {
    this.#card = card;
  }

  describe(layer: Layer): StepInfo[] {
    const profile = this.#card.opened?.profile ?? imagined;
    return stepsOf(profile, layer).map(({ name, computes, kernel, prelude, estimate }) => ({
      ...{ name, computes, body: kernel.body.trim(), estimate },
      prelude: wgslSource({ ...kernel, body: "" }, prelude).trim(),
      constants: prelude.constants ?? {},
    }));
  }

  /** The layer to begin with. */
  async suggest(signal: AbortSignal): Promise<Layer> {
    const device = await this.#card.device();
    if (!device.profile.separateProcessor) return fittingLayer(true, 0);
    const { flops } =
      this.#ceilings.get(device) ?? (await measureCeilings(device, { runs: 1, minRunMs: 1, signal }));
    return fittingLayer(false, flops);
  }

  /** What the card does at best. It is measured once. */
  async ceilings(device: GpuDevice, { signal, report }: MeasureContext): Promise<Ceilings> {
    const existing = this.#ceilings.get(device);
    if (existing) return existing;
    report(event({ at: "ceilings" }));
    const minRunMs = device.profile.separateProcessor ? 50 : 12;
    const ceilings = await measureCeilings(device, { runs: 3, minRunMs, signal });
    this.#ceilings.set(device, ceilings);
    return ceilings;
  }

  async measure(layer: Layer, context: MeasureContext): Promise<Results> {
    const { signal, report } = context;
    const device = await this.#card.device();
    const ceilings = await this.ceilings(device, context);
    const ready = await this.#prepare(layer, device, context);
    const steps = stepsOf(device.profile, layer);
    const checked: (Omit<StepResult, "times"> & { step: Conv2dStep })[] = [];
    for (const [i, step] of steps.entries()) {
      signal.throwIfAborted();
      report(event({ at: "step", step: step.name }, i, steps.length));
      const began = performance.now();
      const problems = await device.checkKernel(step.kernel, step.prelude);
      const compileMs = performance.now() - began;
      const problem = problems.find(({ severity }) => severity === "error")?.text;
      const check = problem === undefined ? await checkStep(ready, step) : undefined;
      const result = { name: step.name, problem, check, compileMs };
      checked.push({ ...result, step });
      report({ kind: "checked", step: result });
    }
    const right = checked.filter(({ check }) => check?.right).map(({ step }) => step);
    const timed = await this.#time(
      ready,
      right.map((step) => [step, undefined]),
      ceilings,
      context,
    );
    const work = workOf(layer);
    const limit = limitOf(work, 1, ceilings);
    const bytes = limitOf({ flops: 0, bytes: work.bytes }, 1, ceilings);
    return {
      ...{ card: describeDevice(device), layer, flops: work.flops },
      ceiling: {
        ...timed.ceiling,
        bytes: work.bytes / bytes.share,
        ...{ limit: limit.kind, bestMs: 1e3 * limit.share },
      },
      steps: checked.map(({ step: _, ...result }) => ({ ...result, times: timed.times.get(result.name) })),
    };
  }

  async tryEdit({ layer, step: name, body }: Edit, context: MeasureContext): Promise<EditResult> {
    const device = await this.#card.device();
    const step = stepsOf(device.profile, layer).find((each) => each.name === name);
    if (!step) throw new GpuError(`The step ${name} does not run on ${device.name} for this layer.`);
    let messages: readonly { severity: "error" | "warning"; text: string; line?: number }[] = [];
    try {
      const edited = kernel(`${name}, edit ${++this.#edits}`, body);
      messages = await device.checkKernel(edited, step.prelude);
      if (messages.some(({ severity }) => severity === "error")) return { outcome: "error", messages };
      const ceilings = await this.ceilings(device, context);
      const ready = await this.#prepare(layer, device, context);
      context.report(event({ at: "edit" }));
      await fillIn(ready, step);
      const check = await checkStep(ready, step, edited);
      if (!check.right) return { outcome: "wrong", check, messages };
      const both = [[step, undefined] as const, [step, edited] as const];
      const { times } = await this.#time(ready, both, ceilings, context);
      const [original, own] = [times.get(name)!, times.get(edited.name)!];
      return { outcome: "right", check, messages, times: own, original };
    } catch (error) {
      if ((error as Error).name === "AbortError" && context.signal.aborted) throw error;
      if (await this.#card.lost(error)) return { outcome: "lost" };
      // What the edit asks for is not what the launch gives: other buffers, other parameters, half a loop.
      return { outcome: "error", messages: [{ severity: "error", text: (error as Error).message }] };
    }
  }

  async #time(
    ready: OnDevice,
    steps: readonly (readonly [Conv2dStep, ReturnType<typeof kernel> | undefined])[],
    ceilings: Ceilings,
    { signal, report }: MeasureContext,
  ) {
    const { device } = ready;
    using _ = scope();
    const { flops } = workOf(ready.numbers.layer);
    const results = new Map(
      steps.map(([{ computes }]) => [
        computes,
        full(ready.numbers.references[computes].shape, 0, { device }),
      ]),
    );
    const nameOf = ([step, edited]: (typeof steps)[number]) => edited?.name ?? step.name;
    const programs = steps.map(([step, edited]) => ({
      name: nameOf([step, edited]),
      flops,
      run: () => launchStep(device, step, tensorsOf(ready, step, results.get(step.computes)!), edited),
    }));
    const real = device.profile.separateProcessor;
    const runs = real ? 9 : 5;
    const total = programs.length * (runs + 1);
    let done = 0;
    const { rows, ceiling } = await timeInTurns(device, programs, ceilings, {
      ...{ runs, minRunMs: real ? 25 : 8, budgetMs: real ? 6000 : 5000, signal },
      onProgress: (program, run) => {
        const [step, edited] = steps.find((each) => nameOf(each) === program)!;
        const phase: Phase = { at: "timing", step: step.name, isEdit: edited !== undefined, turn: run };
        report(event(phase, done++, total));
      },
    });
    const average = (ceiling.before + ceiling.after) / 2;
    return { ceiling, times: new Map(rows.map((row) => [row.name, timesOf(row, flops, average)])) };
  }

  async #prepare(layer: Layer, device: GpuDevice, context: MeasureContext): Promise<OnDevice> {
    const { signal, report } = context;
    if (this.#numbers?.layer.id !== layer.id) {
      this.#numbers = undefined;
      this.#forget();
      const operands = operandsOf(layer);
      const phase: Phase = { at: "reference", layer };
      const part = (first: number) => ({
        signal,
        report: (done: number) => report(event(phase, first + done, 2)),
      });
      report(event(phase, 0, 2));
      const y = await referenceOfY(layer, operands, part(0));
      const dw = await referenceOfDw(layer, operands, part(1));
      this.#numbers = { layer, operands, references: { y, dw } };
    }
    const numbers = this.#numbers;
    if (this.#onDevice?.numbers !== numbers || this.#onDevice.device !== device) {
      this.#forget();
      const { x, weight, dy } = numbers.operands;
      this.#onDevice = {
        ...{ numbers, device },
        x: tensor(x, shapesOf(layer).x, { device }),
        weight: tensor(weight, shapesOf(layer).weight, { device }),
        dy: tensor(dy, shapesOf(layer).y, { device }),
      };
    }
    return this.#onDevice;
  }

  #forget(): void {
    const { device, x, weight, dy } = this.#onDevice ?? {};
    if (device && !device.failure) for (const each of [x, weight, dy]) each?.dispose();
    this.#onDevice = undefined;
  }
}

function event(phase: Phase, done = 0, total = 0): MeasureEvent {
  return { kind: "phase", phase, done, total };
}

function shapesOf({ batch, inputs, outputs, window, side }: Layer) {
  return {
    x: [batch, inputs, side, side],
    weight: [outputs, inputs, window, window],
    y: [batch, outputs, side, side],
  };
}

function stepsOf(profile: GpuDevice["profile"], layer: Layer): Conv2dStep[] {
  const { x, weight } = shapesOf(layer);
  return conv2dSteps(profile, { x, weight, padding: (layer.window - 1) / 2 });
}

function workOf(layer: Layer) {
  const size = (shape: readonly number[]) => shape.reduce((product, each) => product * each, 1);
  const { x, weight, y } = shapesOf(layer);
  return { flops: 2 * multiplyAdds(layer), bytes: 4 * (size(x) + size(weight) + size(y)) };
}

/** The same numbers at each visit. */
function operandsOf(layer: Layer): Operands {
  const { x, weight, y } = shapesOf(layer);
  const values = (shape: readonly number[], seed: number, bound: number) => {
    const random = new Random(seed);
    const length = shape.reduce((product, each) => product * each, 1);
    return Float32Array.from({ length }, () => bound * (2 * random.uniform() - 1));
  };
  const bound = 1 / Math.sqrt(layer.inputs * layer.window ** 2);
  return { x: values(x, 1, 1), weight: values(weight, 2, bound), dy: values(y, 3, 1) };
}

function tensorsOf({ x, weight, dy }: OnDevice, { computes }: Conv2dStep, result: Tensor) {
  return { x, other: computes === "y" ? weight : dy, result };
}

/** Runs a step once and compares. What it does not write stays NaN, which is wrong. */
async function checkStep(
  ready: OnDevice,
  step: Conv2dStep,
  edited?: ReturnType<typeof kernel>,
): Promise<Check> {
  using _ = scope();
  const reference = ready.numbers.references[step.computes];
  const result = full(reference.shape, Number.NaN, { device: ready.device });
  launchStep(ready.device, step, tensorsOf(ready, step, result), edited);
  return compare(reference, await result.data());
}

/** Makes sure that every value wanted is there before an edited step is compared with them. */
async function fillIn(ready: OnDevice, { computes }: Conv2dStep): Promise<void> {
  if (!ready.numbers.references[computes].want.some(Number.isNaN)) return;
  const first = stepsOf(ready.device.profile, ready.numbers.layer).find(
    (each) => each.computes === computes,
  )!;
  await checkStep(ready, first);
}

function timesOf(
  { ms, min, max, gpuMs, runs, repetitions }: Times,
  flops: number,
  ceiling: number,
): StepTimes {
  const own = gpuMs !== undefined && gpuMs > 0;
  const time = own ? gpuMs : ms;
  const perSecond = flops / (time / 1e3);
  return {
    ...{ ms: time, clock: own ? "gpu" : "wall", runs, repetitions },
    wall: { median: ms, min, max },
    ...{ gflops: perSecond / 1e9, share: perSecond / ceiling },
  };
}
