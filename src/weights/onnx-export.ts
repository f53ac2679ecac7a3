/** Writes a network down as ONNX, from the operations that its forward pass is made of. */

import type { Module } from "../nn/module.ts";
import { ArgumentError } from "../options/arguments.ts";
import { zeros } from "../tensor/create.ts";
import { noGrad } from "../tensor/no-grad.ts";
import { defineOp } from "../tensor/op.ts";
import { type RecordedOp, recordOps } from "../tensor/record-ops.ts";
import { keep, outsideScopes, scope } from "../tensor/scope.ts";
import { ShapeError } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type OnnxNode, type OnnxTensor, serializeOnnx } from "./onnx-file.ts";
import { type Crop, OnnxGraph, type WholeBlocks, writeOp } from "./onnx-operators.ts";

export interface ExportedNetwork {
  readonly name: string;
  /** The weights' names in the file are those that they have here. */
  readonly module: Module;
  /** The result for an input [n, channels, h, w]; every input is enlarged by the same factor. */
  forward(x: Tensor): Tensor;
  readonly channels: number;
  /** The sides that `forward` takes are multiples of it. Those of pictures need not be: see `inBlocks`. */
  readonly multiple: number;
  readonly metadata: Readonly<Record<string, string>>;
}

const onBlocks =
  "One that works on blocks of pixels says so by `multiple`, and its file continues pictures to whole blocks.";

/** Two sizes [h, w], in blocks; odd and even, so that a network that works on blocks without saying so is found. */
const sizes = [
  [25, 33],
  [40, 18],
] as const;

/**
 * A forward pass as the bytes of an ONNX file: one input `input` [batch, channels, height, width] of any batch,
 * height and width, and one output `output`. Nothing is computed; the operations are only noted, for pictures
 * of two sizes. If these differ, the network asks for the size of its picture, and no file could do that.
 *
 * @throws RangeError if the network does anything that ONNX has no form for here
 */
export async function exportForward(exported: ExportedNetwork): Promise<Uint8Array<ArrayBuffer>> {
  const [graph, other] = [await draw(exported, sizes[0]), await draw(exported, sizes[1])];
  if (asText(graph) !== asText(other)) {
    throw new ArgumentError(
      "exportOnnx",
      "this network does different things with pictures of different sizes, so that its operations " +
        "cannot be written down once for all of them. " +
        onBlocks,
    );
  }
  const { name, channels, metadata } = exported;
  return serializeOnnx({
    name,
    nodes: graph.nodes,
    tensors: [...(await weightsOf(exported.module, graph.nodes)), ...graph.constants],
    input: { name: "input", shape: ["batch", channels, "height", "width"] },
    output: { name: "output", shape: ["batch", graph.outputChannels, "output_height", "output_width"] },
    metadata,
  });
}

/**
 * Notes a forward pass that works on blocks of `multiple` pixels: in the file, an input of any size is continued by
 * its mirror image to whole blocks, and the result cropped. While it is noted, inputs have whole blocks.
 */
export function inBlocks(x: Tensor, multiple: number, forward: (x: Tensor) => Tensor): Tensor {
  if (multiple === 1) return forward(x);
  const y = forward(wholeBlocks({ x }, { multiple }));
  return crop({ x: y, like: x }, { scale: y.shape[2] / x.shape[2] });
}

/** Operations of files alone: exporting notes them, and nothing runs them. */
function noteOnly<I extends Record<"x", Tensor>, P>(name: string) {
  const run = () => {
    throw new Error(`${name} is only noted, in recordOps().`);
  };
  return defineOp<I, P>({ name, shape: ({ x }) => x.shape, cpu: run, gpu: run });
}

const wholeBlocks = noteOnly<{ x: Tensor }, WholeBlocks>("whole blocks");
const crop = noteOnly<{ x: Tensor; like: Tensor }, Crop>("crop");

interface Drawing {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly outputChannels: number;
}

function asText(drawing: Drawing): string {
  return JSON.stringify(drawing, (_, value) => {
    if (typeof value === "bigint") return `${value}n`;
    return value instanceof Float32Array || value instanceof BigInt64Array ? [...value] : value;
  });
}

/** Notes the operations for pictures of one size, and writes them down. */
async function draw(
  { module, channels, multiple, forward }: ExportedNetwork,
  [rows, columns]: readonly [number, number],
): Promise<Drawing> {
  const names = new Map([...module.namedTensors()].map(([name, tensor]) => [tensor, name]));
  const [first] = names.keys(); // without any: the default device
  const { ops, x, y, constants } = outsideScopes(() => {
    using _noGrad = noGrad();
    using _scope = scope();
    const x = zeros([1, channels, rows * multiple, columns * multiple], { device: first?.device });
    let y = x;
    const ops = recordOps(() => {
      try {
        y = forward(x);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        throw new ArgumentError(
          "exportOnnx",
          `this network does not take every size. ${error.message} ${onBlocks}`,
        );
      }
    });
    // Tensors that nothing has made and that are no weights: the network itself made them from numbers.
    const made = new Set([x, ...names.keys(), ...ops.map((op) => op.y)]);
    const inputs = new Set(ops.flatMap((op) => Object.values(op.inputs)));
    return { ops, x, y, constants: [...inputs].filter((input) => !made.has(input)).map(keep) };
  });
  const graph = new OnnxGraph();
  names.set(x, "input");
  for (const constant of constants) {
    names.set(constant, graph.floats(await constant.data(), constant.shape));
    constant.dispose();
  }
  for (const op of ops) names.set(op.y, writeOp(graph, inputNames(op, names), op));
  const last = names.get(y)!;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === last ? "output" : name)),
    output: node.output === last ? "output" : node.output,
  }));
  return { nodes, constants: graph.tensors, outputChannels: y.shape[1] };
}

function inputNames(op: RecordedOp, names: ReadonlyMap<Tensor, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(op.inputs).map(([key, tensor]) => [key, names.get(tensor)!]));
}

/** The weights that the nodes use. */
async function weightsOf(module: Module, nodes: readonly OnnxNode[]): Promise<OnnxTensor[]> {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const weights = [...module.namedTensors()].filter(([name]) => used.has(name));
  return Promise.all(
    weights.map(async ([name, tensor]) => ({ name, shape: tensor.shape, data: await tensor.data() })),
  );
}
