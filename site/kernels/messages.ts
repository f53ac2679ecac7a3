/** What the page and its worker say to each other. */
import type { Estimate, KernelMessage } from "../../src/kernel.ts";
import type { Image } from "../../src/picture/index.ts";

/** A convolution with stride 1 whose result is as large as its picture. */
export interface Layer {
  readonly id: string;
  readonly batch: number;
  /** Channels. */
  readonly inputs: number;
  readonly outputs: number;
  /** Sides of the window and of the picture, in pixels. */
  readonly window: number;
  readonly side: number;
}

/** What the card does when it is opened. */
export interface CardInfo {
  readonly adapter: string;
  /** It is a program on the processor. */
  readonly software: boolean;
  /** The GPU's own clock can be read. */
  readonly timestamps: boolean;
  /** 0: of no fixed size. */
  readonly subgroupSize: number;
}

/** What a step of the ladder is, before anything runs. */
export interface StepInfo {
  readonly name: string;
  readonly computes: "y" | "dw";
  /** Its text, which can be edited. */
  readonly body: string;
  /** What is put before the text. */
  readonly prelude: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly estimate: Estimate;
}

/** How a result compares with the reference. */
export interface Check {
  readonly right: boolean;
  /** The largest difference, as a share of the largest value. NaN, if there is one in the result. */
  readonly error: number;
  /** Where the largest difference is: the element's index on each axis. */
  readonly at: readonly number[];
  readonly got: number;
  readonly want: number;
  /** How many values the reference on the CPU computed. The others are compared with step 1's, on the card. */
  readonly byReference: number;
  readonly values: number;
}

/** How long a step takes. */
export interface StepTimes {
  /** Milliseconds: the median of all runs, by the GPU's clock if it has one, otherwise by wall. */
  readonly ms: number;
  readonly clock: "gpu" | "wall";
  /** By wall: the median, the fastest and the slowest run. */
  readonly wall: { readonly median: number; readonly min: number; readonly max: number };
  readonly runs: number;
  readonly repetitions: number;
  readonly gflops: number;
  /** Of the multiply-adds in registers that the adapter reached just before and after. */
  readonly share: number;
}

export interface StepResult {
  readonly name: string;
  /** Why it does not run on this adapter: its driver refuses it. */
  readonly problem?: string;
  /** Undefined, if it does not run. */
  readonly check?: Check;
  /** Milliseconds that the driver took to compile it. */
  readonly compileMs: number;
  /** Undefined, if it does not run or its result is wrong. */
  readonly times?: StepTimes;
}

export interface CeilingInfo {
  /** Floating-point operations per second, of multiply-adds in registers: before and after. */
  readonly before: number;
  readonly after: number;
  /** Bytes per second of a copy of about the size of the layer's data. */
  readonly bytes: number;
  /** What limits the layer at best, and how many milliseconds it would take then. */
  readonly limit: "multiply-add" | "bytes";
  readonly bestMs: number;
}

export interface Results {
  readonly card: CardInfo;
  readonly layer: Layer;
  /** Two per multiply-add; those with the zeros around the picture count. */
  readonly flops: number;
  readonly ceiling: CeilingInfo;
  readonly steps: readonly StepResult[];
}

/** What a measurement is doing. Turn 0 finds out how often a program fits into a run. */
export type Phase =
  | { readonly at: "ceilings" | "edit" }
  | { readonly at: "reference"; readonly layer: Layer }
  | { readonly at: "step"; readonly step: string }
  | { readonly at: "timing"; readonly step: string; readonly isEdit: boolean; readonly turn: number };

export type MeasureEvent =
  | { readonly kind: "phase"; readonly phase: Phase; readonly done: number; readonly total: number }
  | { readonly kind: "checked"; readonly step: Omit<StepResult, "times"> }
  | { readonly kind: "lost"; readonly message: string };

export interface Edit {
  readonly layer: Layer;
  readonly step: string;
  readonly body: string;
}

export type EditResult =
  /** With the device: perhaps it does not end. */
  | { readonly outcome: "lost" }
  | { readonly outcome: "error"; readonly messages: readonly KernelMessage[] }
  | { readonly outcome: "wrong"; readonly check: Check; readonly messages: readonly KernelMessage[] }
  | {
      readonly outcome: "right";
      readonly check: Check;
      readonly messages: readonly KernelMessage[];
      readonly times: StepTimes;
      /** The step as it was, in turns with it. */
      readonly original: StepTimes;
    };

/** Numbers to draw: [channels, height, width]. */
export interface Maps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

export interface TrainInput {
  /** A colour picture, if the training begins anew. Its sides are even. */
  readonly picture?: Image;
  readonly lr: number;
  /** Steps to make before the last, which is drawn. */
  readonly steps: number;
}

/** What a training step left behind. Gradients are those of the loss. */
export interface TrainStep {
  readonly step: number;
  readonly loss: number;
  /** The loss of the input as it is, without a network. */
  readonly baseline: number;
  readonly ms: number;
  readonly adapter: string;
  readonly input: Maps;
  readonly target: Maps;
  readonly output: Maps;
  readonly outputGradient: Maps;
  readonly features: readonly Maps[];
  readonly featureGradients: readonly Maps[];
  /** Of the first layer, [outputs * inputs, k, k], after the step. */
  readonly weights: Maps;
  readonly weightGradients: Maps;
  /** The device was lost, and the network continued on a new one from its last step. */
  readonly recovered: boolean;
}

/** Every task of the worker: its input, the events that it reports on the way, and its result. */
export interface Tasks {
  open: { input: Record<string, never>; event: never; result: CardInfo };
  /** The layer to begin with, by a quick look at the card's speed. */
  suggest: { input: Record<string, never>; event: never; result: Layer };
  /** Needs no GPU: without one, the steps are as on a card of NVIDIA's. */
  describe: { input: { layer: Layer }; event: never; result: readonly StepInfo[] };
  measure: { input: { layer: Layer }; event: MeasureEvent; result: Results };
  tryEdit: { input: Edit; event: MeasureEvent; result: EditResult };
  train: { input: TrainInput; event: never; result: TrainStep };
}
