/** Notes which operations a network asks for, without computing them. */
import type { Tensor } from "./tensor.ts";

export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** What an operation was asked to do, as `recordOps` notes it. */
export interface RecordedOp {
  readonly name: string;
  /** The inputs that were given, by name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Parameters, as the operation's definition has them. */
  readonly params: unknown;
  /** The output, or the first of several. Its shape is right, its contents are undefined. */
  readonly y: Tensor;
}

let recording: RecordedOp[] | undefined;

/**
 * Runs `body` without computing anything: operations only check their inputs, make a tensor of the result's
 * shape, and are noted, in order. So a network can be written down in another form, such as ONNX, and its work be
 * counted.
 */
export function recordOps(body: () => void): RecordedOp[] {
  const ops: RecordedOp[] = [];
  const before = recording;
  recording = ops;
  try {
    body();
  } finally {
    recording = before;
  }
  return ops;
}

/** Whether operations are noted instead of computed. */
export function isRecording(): boolean {
  return recording !== undefined;
}

/** Whether operations are noted, and the tensor is none of their results: its values are a part of what is noted. */
export function isNotedConstant(tensor: Tensor): boolean {
  return recording !== undefined && !recording.some(({ y }) => y === tensor);
}

/** Notes an operation for `recordOps`, if it runs. */
export function recordOp(name: string, inputs: readonly NamedTensor[], params: unknown, y: Tensor): void {
  const byName = Object.fromEntries(inputs.map(({ name, tensor }) => [name, tensor]));
  recording?.push({ name, inputs: byName, params, y });
}
