/**
 * Which of this library's networks a weight file of Keras holds: ports of EDSR and SRCNN. Keras numbers layers as it
 * makes them, so their order tells what they are for, and the shapes of their weights the network.
 */
import type { NamedArray } from "../nn/module.ts";
import { isObject } from "../options/arguments.ts";
import { metadataOf, type RecognizedNetwork } from "./architecture.ts";
import { DIV2K_RGB_MEAN, describeEdsr, meanShifts } from "./edsr.ts";
import { assumedWhole, checkColors, type DetectOptions, type State, scaleOf } from "./state.ts";

/**
 * Keras' tensors LAYER.0 (a convolution's weights) and LAYER.1 (its bias), in the layers' order. Returns undefined
 * for other networks.
 *
 * @param config the layers' settings as JSON, if the file has them.
 */
export function recognizeKeras(
  tensors: State,
  options: DetectOptions,
  config?: string,
): RecognizedNetwork | undefined {
  const convolutions = convolutionsOf(tensors);
  if (convolutions === undefined) return undefined;
  const layers = layersOf(config);
  return edsr(convolutions, layers, options) ?? srcnn(convolutions, layers, options);
}

/** A convolution with its weights as PyTorch has them, [out, in, height, width]. */
interface Convolution {
  readonly name: string;
  readonly weight: NamedArray;
  readonly bias: NamedArray;
}

/** The convolutions in their order; undefined if there are other layers with weights. */
function convolutionsOf(tensors: State): Convolution[] | undefined {
  const names = [...new Set([...tensors.keys()].map((key) => key.replace(/\.\d+$/, "")))];
  const haveBiases = names.some((name) => tensors.has(`${name}.1`));
  const convolutions = names.map((name): Convolution | undefined => {
    const weight = tensors.get(`${name}.0`);
    if (tensors.has(`${name}.2`) || weight?.shape.length !== 4) return undefined;
    // Of `use_bias=False`, all are zeros.
    const outputs = weight.shape[3];
    const bias = haveBiases
      ? tensors.get(`${name}.1`)
      : { shape: [outputs], data: new Float32Array(Math.min(outputs, weight.data.length)) };
    return bias?.shape.length === 1 ? { name, weight: outputFirst(weight), bias } : undefined;
  });
  return convolutions.every((one) => one !== undefined) ? convolutions : undefined;
}

/** Keras has [height, width, in, out]. */
function outputFirst({ shape, data }: NamedArray): NamedArray {
  const [height, width, input, output] = shape;
  const inputs = height * width * input;
  const result = new Float32Array(data.length);
  for (let from = 0; from < data.length; from++) {
    const o = from % output;
    const i = Math.floor(from / output) % input;
    const tap = Math.floor(from / (output * input));
    result[o * inputs + i * height * width + tap] = data[from];
  }
  return { shape: [output, input, height, width], data: result };
}

// ---- EDSR

/**
 * The port of Martin Krasser ("super-resolution"), which names its enlarging layers conv2d_1_scale_2 and the like, and
 * that of Keras' own examples: layers as in EDSR-PyTorch, one after the other.
 */
function edsr(
  convolutions: readonly Convolution[],
  layers: readonly Layer[],
  options: DetectOptions,
): RecognizedNetwork | undefined {
  const [head, ...rest] = convolutions;
  const last = rest.pop();
  const channels = head?.weight.shape[0];
  const enlarging = rest.findIndex(({ weight }) => weight.shape[0] !== channels);
  const fits =
    convolutions.every(({ weight: { shape } }) => shape[2] === 3 && shape[3] === 3) &&
    head?.weight.shape[1] === 3 &&
    last?.weight.shape[0] === 3 &&
    enlarging >= 3 &&
    enlarging % 2 === 1;
  if (!fits) return undefined;
  const state = new Map<string, NamedArray>();
  const store = (name: string, { weight, bias }: Convolution) => {
    state.set(`${name}.weight`, weight).set(`${name}.bias`, bias);
  };
  store("head.0", head);
  for (const [i, convolution] of rest.entries()) {
    const block = Math.floor(i / 2);
    if (i >= enlarging) store(`tail.0.${2 * (i - enlarging)}`, shuffledAsInPytorch(convolution, channels!));
    else if (i === enlarging - 1) store(`body.${block}`, convolution);
    else store(`body.${block}.body.${2 * (i % 2)}`, convolution);
  }
  store("tail.1", last!);
  const { range, mean, assumption } = valuesOf(convolutions, layers);
  return describeEdsr(options.name, new Map([...meanShifts(range, mean), ...state]), range, assumption);
}

/**
 * TensorFlow's depth_to_space has the channels of the pixels' colours together, [y, x, channel]; PyTorch's pixel
 * shuffle has those of each colour, [channel, y, x].
 */
function shuffledAsInPytorch({ name, weight, bias }: Convolution, channels: number): Convolution {
  const pixels = bias.data.length / channels;
  const reorder = ({ shape, data }: NamedArray): NamedArray => {
    const row = data.length / shape[0];
    const result = new Float32Array(data.length);
    for (let to = 0; to < shape[0]; to++) {
      const from = (to % pixels) * channels + Math.floor(to / pixels);
      for (let i = 0; i < row; i++) result[to * row + i] = data[from * row + i];
    }
    return { shape, data: result };
  };
  return { name, weight: reorder(weight), bias: reorder(bias) };
}

interface Values {
  /** The network computes with values in 0 to 1 times this, … */
  readonly range: number;
  /** … less this times the range. */
  readonly mean: readonly number[];
  /** What was assumed, in words, if the file does not say it. */
  readonly assumption?: string;
}

function valuesOf(convolutions: readonly Convolution[], layers: readonly Layer[]): Values {
  const rescaling = layers.find(({ kind }) => kind === "Rescaling")?.config;
  if (typeof rescaling?.scale === "number" && rescaling.scale > 0) {
    // Of values in 0 to 255.
    const range = 255 * rescaling.scale;
    const offset = typeof rescaling.offset === "number" ? rescaling.offset : 0;
    return { range: Math.fround(range), mean: [0, 0, 0].map(() => -offset / range) };
  }
  if (convolutions.some(({ name }) => /_scale_\d$/.test(name))) {
    return {
      range: 2,
      mean: DIV2K_RGB_MEAN,
      assumption:
        "0 to 2, less twice the mean of DIV2K, as its layers' names are those of Krasser's networks",
    };
  }
  return {
    range: 1,
    mean: [0, 0, 0],
    assumption: "0 to 1, with no mean subtracted, as in Keras' own example",
  };
}

// ---- SRCNN

function srcnn(
  convolutions: readonly Convolution[],
  layers: readonly Layer[],
  options: DetectOptions,
): RecognizedNetwork | undefined {
  const shapes = convolutions.map(({ weight }) => weight.shape);
  if (shapes.length !== 3 || shapes.some(([, , height, width]) => height !== width)) return undefined;
  const [[first, inputs], [second], [outputs]] = shapes;
  if (inputs !== outputs) return undefined;
  checkColors(options.name, "SRCNN", inputs, 1);
  const state = new Map(
    convolutions.flatMap(({ weight, bias }, i): [string, NamedArray][] => [
      [`conv${i + 1}.weight`, weight],
      [`conv${i + 1}.bias`, bias],
    ]),
  );
  // Most ports compute no pixels whose windows would reach beyond the picture, so nothing was learned about these.
  const paddings = layers.filter(({ kind }) => /^Conv/.test(kind)).map(({ config }) => config.padding);
  const padding = paddings.length > 0 && paddings.every((one) => one === "same") ? "zeros" : "replicate";
  const described = {
    scale: scaleOf(options),
    kernels: shapes.map(([, , side]) => side),
    filters: [first, second],
    padding,
    residual: false,
  };
  const assumption = {
    option: "padding",
    text: "what lies beyond the edges: the outermost pixels again",
  };
  const assumptions = paddings.length > 0 ? [] : [assumption, assumedWhole];
  return { metadata: metadataOf("SRCNN", described), state, assumptions };
}

// ---- Settings

interface Layer {
  /** Its class: "Conv2D". */
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A network's layers from Keras' JSON; none if it is something else. */
function layersOf(config: string | undefined): Layer[] {
  if (config === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(config);
  } catch {
    return [];
  }
  const inner = isObject(parsed) && isObject(parsed.config) ? parsed.config.layers : undefined;
  if (!Array.isArray(inner)) return [];
  return inner.flatMap((layer: unknown): Layer[] =>
    isObject(layer) && typeof layer.class_name === "string" && isObject(layer.config)
      ? [{ kind: layer.class_name, config: layer.config }]
      : [],
  );
}
