/** Every export of `pixelgrad` and of `pixelgrad/picture`, called with nonsense. */
import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as elementwise from "../../src/kernels/elementwise/index.ts";
import * as library from "../../src/node.ts";
import * as picture from "../../src/picture/index.ts";
import { arg, type Call, complaintsAbout, left, type Nonsense, numbers, opts } from "./support.ts";

const device = new CpuDevice("float32");
beforeEach(() => library.setDefaultDevice(device));
process.env.PIXELGRAD_ADAPTER = "cpu"; // for init() without options

const { tensor, zeros } = library;
const random = new library.Random(1);
const parameter = () => tensor([1, 2], undefined, { requiresGrad: true });

// ---- Arguments

const any = ["NaN", "infinity", ...numbers] as const;
const x = (...shape: number[]) => arg(() => zeros(shape));
const picture4d = x(1, 4, 6, 6);
const numberOrTensor = (...shape: number[]) => arg(() => zeros(shape), ...any);
const shape = arg(() => [2, 3], "emptyList");
const trueOrFalse = arg(() => true, "true");
const axes = arg(() => [0], left, "zero", "emptyList", "negative");
const aDevice = arg(() => device);
const generator = arg(() => random);
const rgb = (width = 12, height = 12) => ({
  width,
  height,
  channels: 3 as const,
  data: new Uint8Array(3 * width * height),
});
const image = arg(() => rgb());
/** Texts are paths of files, and what errors name is the path. */
const source = arg(() => rgb(), "text", "emptyText", "numeral");
const model = () => new library.ESPCN({ scale: 2, filters: [1, 1], random: new library.Random(1) });
const pairs = {
  stride: arg(() => 1),
  dilation: arg(() => 1),
};
const padding = arg(() => 0, "zero");
const dtype = arg(() => "float32");
const tensorOptions = { device: aDevice, requiresGrad: trueOrFalse, dtype };
const gradients = arg(() => {
  const w = parameter();
  return library.backward(library.sum(w));
});
const state = arg(() => new Map([["a", { shape: [1], data: new Float32Array(1) }]]));
const weights = () =>
  library.serializeSafetensors(new Map([["a", { shape: [1], data: new Float32Array(1) }]]));
const pytorchWeights = () => {
  const array = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const shapes = { "conv1.weight": [1, 1, 1, 1], "conv2.weight": [1, 1, 1, 1], "conv3.weight": [1, 1, 1, 1] };
  const convs = Object.entries(shapes).map(([name, shape]) => [name, array(...shape)] as const);
  const biases = [1, 2, 3].map((i) => [`conv${i}.bias`, array(1)] as const);
  return library.serializePytorch(new Map([...convs, ...biases]), {
    ...new library.SRCNN({ kernels: [1, 1, 1], filters: [1, 1] }).metadata(),
  });
};
const planes = arg(() => ({ width: 12, height: 12, channels: 1, data: new Float32Array(144) }));
const flat = arg(() => new Float32Array(144));
const symmetry = arg(() => picture.symmetries[1]);
const upscaling = {
  tile: arg(() => 8),
  maxMemory: arg(() => 2 ** 28, "huge", "infinity", "fraction"),
  signal: arg(() => new AbortController().signal),
  onProgress: arg(() => () => {}, "function"),
};
/** Texts may be paths of weight files, and an ArrayBuffer one's bytes; errors speak of the file. */
const method = arg(() => "bicubic", left, "text", "emptyText", "numeral", "arrayBuffer");
/** Without a method it is the default one. */
const open = {
  needed: ["method"],
  accepts: [left, "emptyObject", "map", "date", "arrayBuffer"],
} as const;
const pictureOptions = {
  ...upscaling,
  method,
  scale: arg(() => 2),
  ensemble: trueOrFalse,
  half: arg(() => false, "true"),
  depth: arg(() => 8),
  size: arg(() => ({ width: 4 })),
  alpha: arg(() => "keep"),
};
const layerOptions = { ...pairs, padding, bias: trueOrFalse, random: generator };

// ---- Calls

const { detach, sum, mean, max, min } = library;
/** Those that need a tensor and nothing else. */
const unary = Object.entries({ ...elementwise, detach }).filter(([, { length }]) => length === 1);
const { eq, ne, lt, le, gt, ge, maximum, minimum, softmax, logSoftmax, maxPool2d, avgPool2d } = library;
const anAxis = (...accepts: Nonsense[]) => arg(() => 1, "zero", ...accepts);
const poolOptions = { stride: arg(() => 1), padding: arg(() => 1, "zero") };
const statistics = () => ({ mean: zeros([2]), variance: zeros([2]), batches: zeros([]) });
const momentum = arg(() => 0.1, "null", "zero", "fraction");
const eps = arg(() => 1, "fraction", "huge");

const networks = [
  [
    library.EDSR,
    { scale: arg(() => 2), blocks: arg(() => 1), channels: arg(() => 1), rgbMean: arg(() => [0, 0, 0]) },
  ],
  [
    library.ESPCN,
    { scale: arg(() => 2), filters: arg(() => [1, 1]), activation: arg(() => "relu"), residual: trueOrFalse },
  ],
  [
    library.Wren,
    { scale: arg(() => 2), blocks: arg(() => 1), channels: arg(() => 1), colors: arg(() => "y") },
  ],
  [
    library.Compact,
    {
      scale: arg(() => 2),
      layers: arg(() => 1, "zero"),
      channels: arg(() => 1),
      activation: arg(() => "relu"),
      colors: arg(() => "y"),
    },
  ],
  [
    library.SPAN,
    {
      scale: arg(() => 2),
      blocks: arg(() => 1),
      channels: arg(() => 1),
      normalize: trueOrFalse,
      colors: arg(() => "rgb"),
    },
  ],
  [
    library.RRDBNet,
    {
      scale: arg(() => 2),
      blocks: arg(() => 1),
      channels: arg(() => 1),
      growth: arg(() => 1),
      unshuffle: arg(() => 2),
      colors: arg(() => "y"),
    },
  ],
  [library.FSRCNN, { scale: arg(() => 2), d: arg(() => 1), s: arg(() => 1), m: arg(() => 1, "zero") }],
  [
    library.SRCNN,
    {
      scale: arg(() => 2),
      filters: arg(() => [1, 1]),
      kernels: arg(() => [1, 1, 1]),
      padding: arg(() => "zeros"),
    },
  ],
] as const;

const construct =
  (Class: new (...args: never[]) => object) =>
  (...args: never[]) => {
    const made = new Class(...args);
    if ("dispose" in made) (made as { dispose(): void }).dispose();
  };

/** One network of each class, as it is by default: large ones take seconds to build. */
function once(Class: new () => library.SuperResolver): library.SuperResolver {
  const network = built.get(Class) ?? new Class();
  built.set(Class, network);
  return network;
}
const built = new Map<unknown, library.SuperResolver>();

const calls: Call[] = [
  ...unary.map(([name, call]) => ({
    name,
    call: (a: never) => (call as (x: never) => unknown)(a),
    args: [x(3)],
  })),
  // tensor/
  {
    name: "tensor",
    call: library.tensor,
    args: [
      arg(() => [1, 2], ...any, "listOfNaN", "listOfHuge", "floats"),
      // Options may stand in place of the shape.
      arg(() => [2], left, "emptyObject", "map", "date", "arrayBuffer"),
      opts(tensorOptions),
    ],
  },
  {
    name: "formatTensor",
    call: library.formatTensor,
    args: [
      x(2, 2),
      opts({
        precision: arg(() => 2, "zero"),
        threshold: arg(() => 2, "zero", "huge"),
        edgeItems: arg(() => 1, "huge"),
      }),
    ],
  },
  { name: "scope", call: library.scope, args: [arg(() => () => 1, "function", left)] },
  { name: "zeros", call: library.zeros, args: [shape, opts(tensorOptions)] },
  { name: "ones", call: library.ones, args: [shape, opts(tensorOptions)] },
  {
    name: "arange",
    call: library.arange as (...args: never[]) => unknown,
    args: [
      arg(() => 0, "negative", "fraction", "zero"),
      arg(() => 3, left, "fraction"),
      arg(() => 1, left, "fraction", "huge"),
      opts(tensorOptions),
    ],
  },
  { name: "full", call: library.full, args: [shape, arg(() => 1, ...any), opts(tensorOptions)] },
  {
    name: "rand",
    call: library.rand,
    args: [
      shape,
      opts({
        ...tensorOptions,
        random: generator,
        low: arg(() => 0, ...numbers),
        high: arg(() => 1, ...numbers),
      }),
    ],
  },
  { name: "randn", call: library.randn, args: [shape, opts({ ...tensorOptions, random: generator })] },
  {
    name: "assign",
    call: (values: never) => zeros([2]).assign(values),
    args: [arg(() => [1, 2], "listOfNaN", "listOfHuge")],
  },
  {
    name: "assign",
    call: (values: never) => zeros([2]).assign(values),
    args: [arg(() => zeros([2]), "listOfNaN", "listOfHuge")],
  },
  {
    name: "backward",
    call: library.backward,
    args: [arg(() => library.sum(parameter())), arg(() => undefined, left)],
  },
  { name: "noGrad", call: library.noGrad, args: [arg(() => () => 1, "function", left)] },
  {
    name: "compileAhead",
    call: library.compileAhead,
    args: [arg(() => () => {}, "function"), arg(() => device, left)],
  },
  { name: "capture", call: library.capture, args: [arg(() => () => library.zeros([1]), "function")] },
  {
    name: "the function of capture",
    call: (input: never) => library.capture((x) => x)(input),
    args: [x(1)],
  },
  { name: "keep", call: library.keep, args: [x(1)] },
  {
    name: "span",
    call: library.span,
    args: [arg(() => "a", "text", "emptyText", "numeral"), arg(() => () => {}, "function")],
  },
  { name: "manualSeed", call: library.manualSeed, args: [arg(() => 1, "zero", "negative")] },
  { name: "Random", call: construct(library.Random), args: [arg(() => 1, "zero", "negative")] },
  { name: "Random.fromState", call: library.Random.fromState, args: [arg(() => random.state())] },
  { name: "Random.int", call: (n: never) => random.int(n), args: [arg(() => 2)] },
  {
    name: "shuffle",
    call: (list: never) => random.shuffle(list),
    args: [arg(() => [1], "emptyList", "listOfNull", "listOfText", "listOfNaN", "listOfHuge", "floats")],
  },
  // device/
  {
    name: "init",
    call: library.init,
    args: [
      opts({
        adapter: arg(() => "cpu", "text", "numeral"),
        gpu: arg(
          () => ({}),
          "emptyObject",
          "unknownOption",
          "pathAndLength",
          "map",
          "date",
          "arrayBuffer",
          "dataView",
        ),
        poolBytes: arg(() => 1, "zero", "huge", "fraction"),
        tuning: arg(
          () => false,
          "emptyObject",
          "unknownOption",
          "pathAndLength",
          "map",
          "date",
          "arrayBuffer",
        ),
        precision: arg(() => "float32"),
      }),
    ],
  },
  {
    name: "openDevice",
    call: library.openDevice,
    args: [opts({ precision: arg(() => "float32"), adapter: arg(() => "cpu", "text", "numeral") })],
  },
  { name: "memory", call: library.memory, args: [arg(() => device, left)] },
  { name: "setDefaultDevice", call: library.setDefaultDevice, args: [aDevice] },
  { name: "onDevice", call: library.onDevice, args: [aDevice, arg(() => () => 1, "function")] },
  { name: "outsideScopes", call: library.outsideScopes, args: [arg(() => () => 1, "function")] },
  // kernels/
  {
    name: "add",
    call: library.add,
    args: [numberOrTensor(3), numberOrTensor(3), opts({ alpha: arg(() => 1, ...numbers) })],
  },
  { name: "sub", call: library.sub, args: [numberOrTensor(3), arg(() => zeros([3]), ...any)] },
  { name: "mul", call: library.mul, args: [numberOrTensor(3), numberOrTensor(3)] },
  { name: "div", call: library.div, args: [numberOrTensor(3), numberOrTensor(3)] },
  { name: "pow", call: library.pow, args: [numberOrTensor(3), numberOrTensor(3)] },
  { name: "silu", call: library.silu, args: [x(3)] },
  { name: "prelu", call: library.prelu, args: [x(1, 3, 2, 2), x(3)] },
  { name: "symmetricGate", call: library.symmetricGate, args: [x(3), x(3)] },
  {
    name: "denseConv2d",
    call: library.denseConv2d,
    args: [
      picture4d,
      arg(() => [{ weight: zeros([1, 4, 3, 3]), bias: zeros([1]) }], "emptyList"),
      arg(() => 0.1, "zero", "fraction", "huge"),
    ],
  },
  { name: "elu", call: library.elu, args: [x(3), arg(() => 1, left, ...numbers)] },
  { name: "softplus", call: library.softplus, args: [x(3), arg(() => 1, left, "fraction", "huge")] },
  { name: "flip", call: library.flip, args: [x(2, 3), arg(() => [0], "zero", "negative", "emptyList")] },
  { name: "split", call: library.split, args: [x(2, 3), arg(() => 1, "huge"), anAxis(left)] },
  ...Object.entries({ variance: library.variance, std: library.std }).map(([name, call]) => ({
    name,
    call,
    args: [x(2, 3), axes, opts({ keepdim: trueOrFalse, correction: arg(() => 0, "zero", "fraction") })],
  })),
  {
    name: "layerNorm",
    call: library.layerNorm,
    args: [x(2, 3), arg(() => [3]), arg(() => zeros([3]), left), arg(() => zeros([3]), left), opts({ eps })],
  },
  {
    name: "groupNorm",
    call: library.groupNorm,
    args: [x(2, 4), arg(() => 2), arg(() => zeros([4]), left), arg(() => zeros([4]), left), opts({ eps })],
  },
  { name: "leakyRelu", call: library.leakyRelu, args: [x(3), arg(() => 0.1, left, ...numbers)] },
  {
    name: "clamp",
    call: library.clamp,
    args: [
      x(3),
      arg(() => -1, left, "negative", "fraction", "zero"),
      arg(() => 1, left, "fraction", "huge", "zero", "infinity"),
    ],
  },
  ...Object.entries({ eq, ne, lt, le, gt, ge }).map(([name, call]) => ({
    name,
    call,
    args: [x(3), numberOrTensor(3)],
  })),
  ...Object.entries({ maximum, minimum }).map(([name, call]) => ({
    name,
    call: call as (...args: never[]) => unknown,
    args: [numberOrTensor(3), numberOrTensor(3)],
  })),
  { name: "where", call: library.where, args: [x(3), numberOrTensor(3), numberOrTensor(3)] },
  { name: "gelu", call: library.gelu, args: [x(3), opts({ approximate: arg(() => "tanh") })] },
  ...Object.entries({ softmax, logSoftmax }).map(([name, call]) => ({
    name,
    call,
    args: [x(2, 3), anAxis()],
  })),
  {
    name: "crossEntropy",
    call: library.crossEntropy,
    args: [x(1, 3), arg(() => [0]), opts({ reduction: arg(() => "sum") })],
  },
  {
    name: "linear",
    call: library.linear,
    args: [x(2, 3), x(4, 3), arg(() => zeros([4]), left)],
  },
  ...Object.entries({ maxPool2d, avgPool2d }).map(([name, call]) => ({
    name,
    call,
    args: [picture4d, arg(() => 2), opts(poolOptions)],
  })),
  {
    name: "batchNorm",
    call: library.batchNorm,
    args: [x(2, 2), arg(statistics), x(2), x(2), opts({ training: trueOrFalse, momentum, eps })],
  },
  {
    name: "dropout",
    call: library.dropout,
    args: [
      x(3),
      arg(() => 0.5, left, "zero", "fraction"),
      opts({ training: trueOrFalse, random: generator }),
    ],
  },
  { name: "matmul", call: library.matmul, args: [x(2, 3), x(3, 2)] },
  {
    name: "conv2d",
    call: library.conv2d,
    args: [
      picture4d,
      x(4, 4, 1, 1),
      arg(() => zeros([4]), left),
      opts({
        ...pairs,
        padding,
        activation: arg(() => "relu"),
        skip: x(1, 4, 6, 6),
        shuffle: arg(() => 1),
        variant: arg(() => "1-naive"),
      }),
    ],
  },
  {
    name: "conv2d",
    call: (slope: never) =>
      library.conv2d(zeros([1, 4, 6, 6]), zeros([4, 4, 1, 1]), undefined, { activation: "leakyRelu", slope }),
    args: [arg(() => 0.1, left, ...numbers)],
  },
  {
    name: "conv2d",
    call: library.conv2d,
    args: [picture4d, x(4, 4, 1, 1), arg(() => zeros([4]), left), opts({ gate: x(1, 4, 6, 6) })],
  },
  {
    name: "denseConv2d",
    call: library.denseConv2d,
    args: [
      picture4d,
      arg(() => [{ weight: zeros([2, 4, 3, 3]), bias: zeros([2]) }], "emptyList"),
      arg(() => 0.2, "zero", "fraction", "huge"),
    ],
  },
  {
    name: "convTranspose2d",
    call: library.convTranspose2d,
    args: [
      picture4d,
      x(4, 4, 1, 1),
      arg(() => zeros([4]), left),
      opts({ ...pairs, padding, outputPadding: padding }),
    ],
  },
  { name: "reshape", call: library.reshape, args: [x(6), arg(() => [2, 3])] },
  { name: "slice", call: library.slice, args: [x(6), arg(() => [1], "emptyList"), arg(() => [2])] },
  { name: "permute", call: library.permute, args: [x(2, 3), arg(() => [1, 0])] },
  { name: "concat", call: library.concat, args: [arg(() => [zeros([2])]), arg(() => 0, left, "zero")] },
  { name: "stack", call: library.stack, args: [arg(() => [zeros([2])]), anAxis(left)] },
  { name: "transpose", call: library.transpose, args: [x(2, 3), anAxis(), anAxis()] },
  { name: "squeeze", call: library.squeeze, args: [x(2, 1), axes] },
  { name: "unsqueeze", call: library.unsqueeze, args: [x(2, 3), anAxis("negative")] },
  { name: "flatten", call: library.flatten, args: [x(2, 3), anAxis(left), arg(() => 1, left)] },
  { name: "broadcastTo", call: library.broadcastTo, args: [x(1, 3), arg(() => [2, 3])] },
  {
    name: "argmax",
    call: library.argmax,
    args: [x(2, 3), anAxis(left), opts({ keepdim: trueOrFalse })],
  },
  ...Object.entries({ sum, mean, max, min }).map(([name, call]) => ({
    name,
    call,
    args: [x(2, 3), axes, opts({ keepdim: trueOrFalse })],
  })),
  { name: "l1Loss", call: library.l1Loss, args: [x(2), x(2), opts({ reduction: arg(() => "sum") })] },
  { name: "ssimLoss", call: library.ssimLoss, args: [x(1, 1, 11, 11), x(1, 1, 11, 11)] },
  { name: "fftLoss", call: library.fftLoss, args: [x(1, 1, 2, 2), x(1, 1, 2, 2)] },
  { name: "mseLoss", call: library.mseLoss, args: [x(2), x(2), opts({ reduction: arg(() => "sum") })] },
  {
    name: "huberLoss",
    call: library.huberLoss,
    args: [x(2), x(2), opts({ reduction: arg(() => "sum"), delta: eps })],
  },
  {
    name: "smoothL1Loss",
    call: library.smoothL1Loss,
    args: [x(2), x(2), opts({ reduction: arg(() => "sum"), beta: eps })],
  },
  {
    name: "binaryCrossEntropyWithLogits",
    call: library.binaryCrossEntropyWithLogits,
    args: [x(2), x(2), opts({ reduction: arg(() => "sum") })],
  },
  {
    name: "charbonnierLoss",
    call: library.charbonnierLoss,
    args: [x(2), x(2), opts({ reduction: arg(() => "sum"), eps })],
  },
  {
    name: "pad",
    call: library.pad,
    args: [x(2, 3), arg(() => [1, 1, 1, 1]), arg(() => "constant", left), arg(() => 0, left, ...numbers)],
  },
  { name: "cast", call: library.cast, args: [x(3), dtype] },
  { name: "pixelShuffle", call: library.pixelShuffle, args: [picture4d, arg(() => 2)] },
  { name: "pixelUnshuffle", call: library.pixelUnshuffle, args: [picture4d, arg(() => 2)] },
  {
    name: "interpolate",
    call: library.interpolate,
    args: [
      picture4d,
      opts(
        {
          mode: arg(() => "bicubic"),
          scaleFactor: arg(() => 2, "fraction"),
          antialias: trueOrFalse,
          convention: arg(() => "matlab"),
          round: trueOrFalse,
        },
        { needed: ["mode", "scaleFactor"] },
      ),
    ],
  },
  {
    name: "interpolate",
    call: library.interpolate,
    args: [
      picture4d,
      opts({ mode: arg(() => "nearest"), size: arg(() => [3, 3]) }, { needed: ["mode", "size"] }),
    ],
  },
  // nn/
  {
    name: "Conv2d",
    call: construct(library.Conv2d),
    args: [arg(() => 1), arg(() => 1), arg(() => 3), opts(layerOptions)],
  },
  {
    name: "ConvTranspose2d",
    call: construct(library.ConvTranspose2d),
    args: [arg(() => 1), arg(() => 1), arg(() => 3), opts({ ...layerOptions, outputPadding: padding })],
  },
  { name: "conv2d", call: (a: never) => new library.Conv2d(4, 1, 1).forward(a), args: [picture4d] },
  {
    name: "LeakyReLU",
    call: construct(library.LeakyReLU),
    args: [arg(() => 0.1, left, ...numbers)],
  },
  {
    name: "PReLU",
    call: construct(library.PReLU),
    args: [arg(() => 1, left), arg(() => 0.1, left, ...numbers)],
  },
  { name: "LeakyReLU", call: construct(library.LeakyReLU), args: [arg(() => 0.1, left, ...numbers)] },
  {
    name: "Linear",
    call: construct(library.Linear),
    args: [arg(() => 1), arg(() => 1), opts({ bias: trueOrFalse, random: generator })],
  },
  {
    name: "BatchNorm2d",
    call: construct(library.BatchNorm2d),
    args: [arg(() => 2), opts({ momentum, eps })],
  },
  { name: "MaxPool2d", call: construct(library.MaxPool2d), args: [arg(() => 2), opts(poolOptions)] },
  { name: "AvgPool2d", call: construct(library.AvgPool2d), args: [arg(() => 2), opts(poolOptions)] },
  { name: "AdaptiveAvgPool2d", call: construct(library.AdaptiveAvgPool2d), args: [arg(() => 1)] },
  {
    name: "Flatten",
    call: construct(library.Flatten),
    args: [anAxis(left, "negative"), arg(() => 1, left, "zero", "negative")],
  },
  {
    name: "Dropout",
    call: construct(library.Dropout),
    args: [arg(() => 0.5, left, "zero", "fraction"), opts({ random: generator })],
  },
  { name: "GELU", call: construct(library.GELU), args: [opts({ approximate: arg(() => "tanh") })] },
  { name: "PixelShuffle", call: construct(library.PixelShuffle), args: [arg(() => 2)] },
  {
    name: "Upsample",
    call: construct(library.Upsample),
    args: [
      opts(
        { mode: arg(() => "nearest"), scaleFactor: arg(() => 2, "fraction", "huge") },
        { needed: ["mode"] },
      ),
    ],
  },
  { name: "Sequential", call: construct(library.Sequential), args: [arg(() => new library.ReLU())] },
  { name: "L1Loss", call: construct(library.L1Loss), args: [opts({ reduction: arg(() => "sum") })] },
  { name: "MSELoss", call: construct(library.MSELoss), args: [opts({ reduction: arg(() => "sum") })] },
  {
    name: "HuberLoss",
    call: construct(library.HuberLoss),
    args: [opts({ reduction: arg(() => "sum"), delta: eps })],
  },
  {
    name: "SmoothL1Loss",
    call: construct(library.SmoothL1Loss),
    args: [opts({ reduction: arg(() => "sum"), beta: eps })],
  },
  {
    name: "BCEWithLogitsLoss",
    call: construct(library.BCEWithLogitsLoss),
    args: [opts({ reduction: arg(() => "sum") })],
  },
  { name: "Softplus", call: construct(library.Softplus), args: [arg(() => 1, left, "fraction", "huge")] },
  { name: "ELU", call: construct(library.ELU), args: [arg(() => 1, left, ...numbers)] },
  {
    name: "LayerNorm",
    call: construct(library.LayerNorm),
    args: [arg(() => 2, "emptyList"), opts({ eps, affine: trueOrFalse })],
  },
  {
    name: "GroupNorm",
    call: construct(library.GroupNorm),
    args: [arg(() => 1), arg(() => 2), opts({ eps, affine: trueOrFalse })],
  },
  {
    name: "CharbonnierLoss",
    call: construct(library.CharbonnierLoss),
    args: [opts({ reduction: arg(() => "sum"), eps })],
  },
  {
    name: "CrossEntropyLoss",
    call: construct(library.CrossEntropyLoss),
    args: [opts({ reduction: arg(() => "sum") })],
  },
  ...[library.Adam, library.AdamW].map((Optimizer) => ({
    name: Optimizer.name,
    call: construct(Optimizer),
    args: [
      arg(() => [parameter()]),
      opts({
        lr: arg(() => 1, "zero", "fraction", "huge"),
        betas: arg(() => [0.9, 0.9]),
        eps: arg(() => 1, "zero", "fraction", "huge"),
        weightDecay: arg(() => 0, "zero", "fraction", "huge"),
      }),
    ],
  })),
  {
    name: "SGD",
    call: construct(library.SGD),
    args: [
      arg(() => [parameter()]),
      opts({
        lr: arg(() => 1, "zero", "fraction", "huge"),
        momentum: arg(() => 0.9, "zero", "fraction", "huge"),
        weightDecay: arg(() => 0, "zero", "fraction", "huge"),
        nesterov: arg(() => false),
      }),
    ],
  },
  { name: "Adam", call: () => new library.Adam([zeros([2])]), args: [arg(() => 0)] },
  {
    name: "Adam.step",
    call: (g: never) => new library.Adam([parameter()]).step(g),
    args: [arg(() => new Map())],
  },
  {
    name: "Adam.step",
    call: (lr: never) => {
      const w = parameter();
      const adam = new library.Adam([w]);
      adam.lr = lr;
      adam.step(library.backward(library.sum(w)));
    },
    args: [arg(() => 1, "zero", "fraction", "huge")],
  },
  {
    name: "Adam.loadStateDict",
    call: (s: never) => new library.Adam([parameter()]).loadStateDict(s),
    args: [arg(() => ({}))],
  },
  {
    name: "stepLR",
    call: library.stepLR,
    args: [
      arg(() => 1, "zero", "fraction", "huge"),
      opts(
        { stepSize: arg(() => 2), gamma: arg(() => 0.1, "zero", "fraction", "huge") },
        { needed: ["stepSize"] },
      ),
    ],
  },
  {
    name: "multiStepLR",
    call: library.multiStepLR,
    args: [
      arg(() => 1, "zero", "fraction", "huge"),
      opts(
        {
          milestones: arg(() => [2], "emptyList", "listOfHuge"),
          gamma: arg(() => 0.1, "zero", "fraction", "huge"),
        },
        { needed: ["milestones"] },
      ),
    ],
  },
  {
    name: "cosineAnnealingLR",
    call: library.cosineAnnealingLR,
    args: [
      arg(() => 1, "zero", "fraction", "huge"),
      opts(
        { tMax: arg(() => 2, "fraction", "huge"), etaMin: arg(() => 0.1, "zero", "fraction", "huge") },
        { needed: ["tMax"] },
      ),
    ],
  },
  { name: "warmup", call: library.warmup, args: [arg(() => () => 1, "function"), arg(() => 2, "zero")] },
  { name: "Softmax", call: construct(library.Softmax), args: [anAxis("negative")] },
  {
    name: "emaDecay",
    call: library.emaDecay,
    args: [arg(() => 0.9, "zero", "fraction"), arg(() => 1, "zero")],
  },
  {
    name: "emaUpdate",
    call: library.emaUpdate,
    args: [arg(model), arg(model), arg(() => 0.9, "zero", "fraction")],
  },
  { name: "addGradients", call: library.addGradients, args: [gradients, gradients] },
  {
    name: "clipGradNorm",
    call: library.clipGradNorm,
    args: [gradients, arg(() => 1, "fraction", "huge", "infinity")],
  },
  {
    name: "normalInit",
    call: library.normalInit,
    args: [
      arg(() => new library.Conv2d(1, 1, 1)),
      arg(() => 0.1, "zero", "fraction", "huge"),
      opts({ random: generator }),
    ],
  },
  {
    name: "kaimingNormalInit",
    call: library.kaimingNormalInit,
    args: [
      arg(() => new library.Conv2d(1, 1, 1)),
      opts({ slope: arg(() => 0.1, ...numbers), random: generator }),
    ],
  },
  {
    name: "whiteningInit",
    call: library.whiteningInit,
    args: [
      arg(() => new library.Conv2d(1, 1, 1)),
      arg(() => [{ shape: [1, 4, 4], data: new Float32Array(16) }]),
      opts({
        std: arg(() => 0.3, "fraction", "huge", "zero"),
        floor: arg(() => 1, "fraction", "huge"),
        random: generator,
      }),
    ],
  },
  { name: "parseSafetensors", call: library.parseSafetensors, args: [arg(weights)] },
  {
    name: "serializeSafetensors",
    call: library.serializeSafetensors,
    args: [
      state,
      arg(() => ({}), left, "emptyObject", "arrayBuffer", "map", "date"),
      opts({ dtype: arg(() => "F16") }),
    ],
  },
  {
    name: "saveCheckpoint",
    call: library.saveCheckpoint,
    args: [arg(() => ({ model: model() })), arg(() => ({}), left, "emptyObject")],
  },
  {
    name: "loadCheckpoint",
    call: library.loadCheckpoint,
    args: [arg(() => ({ model: model() })), arg(() => new Uint8Array(4))],
  },
  {
    name: "saveWeights",
    call: library.saveWeights,
    args: [arg(model), arg(() => ({}), left, "emptyObject")],
  },
  { name: "loadWeights", call: library.loadWeights, args: [arg(model), arg(weights)] },
  {
    name: "loadStateDict",
    call: (s: never, o: never) => model().loadStateDict(s, o),
    args: [state, opts({ strict: arg(() => true), source: arg(() => "x", "text", "numeral") })],
  },
  // models/
  ...networks.flatMap(([Network, options]): Call[] => [
    { name: Network.name, call: construct(Network), args: [opts({ ...options, random: generator })] },
    { name: `${Network.name}.forward`, call: (a: never) => once(Network).forward(a), args: [x(3)] },
  ]),
  { name: "architectureOf", call: library.architectureOf, args: [arg(() => "EDSR")] },
  {
    name: "ESPCN",
    call: (values: never) => library.completeOptions(library.architectureOf("ESPCN"), values),
    args: [arg(() => ({}), "emptyObject", "map", "date", "arrayBuffer")],
  },
  { name: "createModel", call: library.createModel, args: [arg(() => new library.ESPCN().metadata())] },
  { name: "loadModel", call: library.loadModel, args: [arg(weights)] },
  {
    name: "readNetwork",
    call: library.readNetwork,
    args: [
      arg(pytorchWeights),
      arg(() => "x", left, "text", "numeral"),
      opts({ scale: arg(() => 2, "huge") }),
    ],
  },
  {
    name: "buildNetwork",
    call: library.buildNetwork,
    args: [arg(() => library.readNetwork(pytorchWeights()))],
  },
  {
    name: "describeNetwork",
    call: library.describeNetwork,
    args: [arg(() => library.readNetwork(pytorchWeights()))],
  },
  {
    name: "networkIn",
    call: library.networkIn,
    args: [arg(() => library.readNetwork(pytorchWeights()))],
  },
  { name: "multiplyAddsPerPixel", call: library.multiplyAddsPerPixel, args: [arg(model)] },
  {
    name: "exportOnnx",
    call: library.exportOnnx,
    args: [arg(model), opts({ colors: arg(() => "own") })],
  },
  { name: "parsePytorch", call: library.parsePytorch, args: [arg(pytorchWeights)] },
  { name: "parseWeights", call: library.parseWeights, args: [arg(weights)] },
  {
    name: "serializePytorch",
    call: library.serializePytorch,
    args: [state, arg(() => ({ note: "x" }), left, "emptyObject"), opts({ dtype: arg(() => "float16") })],
  },
  // upscale/
  {
    name: "upscale",
    call: library.upscale,
    args: [source, opts(pictureOptions, open)],
  },
  {
    name: "upscale",
    call: (data: never) => library.upscale({ ...rgb(), data }, { method: "bicubic" }),
    args: [arg(() => rgb().data)],
  },
  {
    name: "upscale",
    call: (channels: never) => library.upscale({ ...rgb(), channels }, { method: "bicubic" }),
    args: [arg(() => 3)],
  },
  {
    name: "upscale",
    call: (width: never) => library.upscale({ ...rgb(), width }, { method: "bicubic" }),
    args: [arg(() => 12)],
  },
  {
    name: "upscaleBands",
    call: library.upscaleBands,
    args: [source, opts({ ...upscaling, method, alpha: arg(() => "keep") }, open)],
  },
  {
    name: "openMethod",
    call: library.openMethod,
    args: [
      opts({ method, scale: arg(() => 2), ensemble: trueOrFalse, half: arg(() => false, "true") }, open),
    ],
  },
  {
    name: "loadPretrained",
    call: library.loadPretrained,
    args: [arg(() => "espcn"), opts({ scale: arg(() => 2) })],
  },
  { name: "interpolator", call: library.interpolator, args: [arg(() => "bicubic"), arg(() => 2)] },
  {
    name: "networkUpscaler",
    call: library.networkUpscaler,
    args: [arg(model), arg(() => "name", left, "text", "numeral")],
  },
  { name: "selfEnsemble", call: library.selfEnsemble, args: [arg(() => library.interpolator("bicubic", 2))] },
  {
    name: "upscale",
    call: (a: never, o: never) => library.interpolator("bicubic", 2).upscale(a, o),
    args: [image, opts(upscaling)],
  },
  {
    name: "upscaleY",
    call: (a: never) => library.interpolator("bicubic", 2).upscaleY(a, 12, 12),
    args: [flat],
  },
  {
    name: "upscalePlanes",
    call: (a: never) => library.interpolator("bicubic", 2).upscalePlanes(a),
    args: [planes],
  },
  { name: "readSource", call: library.readSource, args: [source] },
  { name: "toImageData", call: library.toImageData, args: [image] },
  { name: "scalesOf", call: library.scalesOf, args: [arg(() => "bicubic")] },
  { name: "defaultMethod", call: library.defaultMethod, args: [arg(() => 2, "huge")] },
  { name: "photoMethod", call: library.photoMethod, args: [arg(() => 2, "huge")] },
  {
    name: "completeOptions",
    call: library.completeOptions as (...args: never[]) => unknown,
    args: [arg(() => library.architectureOf("ESPCN"))],
  },
  {
    // Under the name of the network.
    name: "ESPCN",
    call: (values: never) => library.completeOptions(library.architectureOf("ESPCN"), values),
    args: [opts({ scale: arg(() => 2), filters: arg(() => [1, 1]) })],
  },
  {
    name: "GpuDevice",
    call: construct(library.GpuDevice),
    args: [
      arg(() => ({ queue: {}, lost: new Promise(() => {}) })),
      arg(() => ({ name: "a", profile: {} })),
      arg(() => ({ wait: () => {}, watchFailures: () => {} })),
      arg(() => 1, "zero", "fraction", "huge"),
    ],
  },
  // picture/
  { name: "withoutAlpha", call: picture.withoutAlpha, args: [image, arg(() => "drop")] },
  { name: "lumaOf", call: picture.lumaOf, args: [image] },
  { name: "rgbToY", call: picture.rgbToY, args: [image, opts({ round: trueOrFalse })] },
  { name: "rgbToYcbcr", call: picture.rgbToYcbcr, args: [image, opts({ round: trueOrFalse })] },
  {
    name: "ycbcrToRgb",
    call: picture.ycbcrToRgb,
    args: [arg(() => new Float64Array(12)), arg(() => 2), arg(() => 2)],
  },
  {
    name: "crop",
    call: picture.crop,
    args: [image, arg(() => 1, "zero"), arg(() => 1, "zero"), arg(() => 1), arg(() => 1)],
  },
  { name: "modcrop", call: picture.modcrop, args: [image, arg(() => 2)] },
  { name: "toRgb", call: picture.toRgb, args: [image] },
  {
    name: "imresize",
    call: picture.imresize,
    args: [
      image,
      arg(() => 0.5, "fraction"),
      opts({
        kernel: arg(() => "cubic"),
        a: arg(() => -0.5, ...numbers),
        antialias: trueOrFalse,
        edge: arg(() => "clamp"),
        siting: arg(() => [0.5, 0.5]),
      }),
    ],
  },
  {
    name: "imresize",
    call: picture.imresize,
    args: [image, arg(() => ({ width: 2, height: 2 }), "fraction")],
  },
  {
    name: "imresizePart",
    call: picture.imresizePart,
    args: [
      image,
      arg(() => ({ width: 2, height: 2 })),
      arg(() => ({ left: 0, top: 0, width: 1, height: 1 })),
    ],
  },
  {
    name: "sizeWithin",
    call: picture.sizeWithin,
    args: [arg(() => ({ width: 2, height: 2 })), arg(() => ({ width: 4 }))],
  },
  {
    name: "scaleFor",
    call: picture.scaleFor,
    args: [arg(() => ({ width: 2, height: 2 })), arg(() => ({ width: 4 })), arg(() => [2, 3])],
  },
  {
    name: "imresizePlane",
    call: picture.imresizePlane,
    args: [flat, arg(() => ({ width: 12, height: 12 })), arg(() => ({ width: 3, height: 3 }))],
  },
  { name: "interpolatePlanes", call: picture.interpolatePlanes, args: [planes, arg(() => 2)] },
  {
    name: "psnr",
    call: picture.psnr,
    args: [
      image,
      image,
      opts(
        { border: arg(() => 0, "zero"), channels: arg(() => "y"), roundY: trueOrFalse },
        { needed: ["border", "channels"] },
      ),
    ],
  },
  {
    name: "ssim",
    call: picture.ssim,
    args: [
      image,
      image,
      opts(
        { border: arg(() => 0, "zero"), channels: arg(() => "y"), roundY: trueOrFalse },
        { needed: ["border", "channels"] },
      ),
    ],
  },
  {
    name: "augment",
    call: picture.augment,
    args: [flat, arg(() => 12), arg(() => 12), arg(() => 1), symmetry],
  },
  { name: "inverseSymmetry", call: picture.inverseSymmetry, args: [symmetry] },
  {
    name: "copyPatch",
    call: picture.copyPatch,
    args: [
      arg(() => new Float32Array(12)),
      arg(() => 0, "zero"),
      image,
      arg(() => 0, "zero"),
      arg(() => 0, "zero"),
      arg(() => 2),
      symmetry,
    ],
  },
  { name: "randomPlace", call: picture.randomPlace, args: [generator, image, arg(() => 2)] },
  {
    name: "fromPlanar",
    call: picture.fromPlanar,
    args: [arg(() => new Float32Array(12)), arg(() => 2), arg(() => 2), arg(() => 3), arg(() => 8, left)],
  },
  { name: "toPlanar", call: picture.toPlanar, args: [image] },
  { name: "damageOf", call: picture.damageOf, args: [image, arg(() => 60, left)] },
  { name: "jpegQualityOfFile", call: picture.jpegQualityOfFile, args: [arg(() => new Uint8Array(40))] },
  {
    name: "chooseMethod",
    call: library.chooseMethod,
    args: [
      arg(() => ({ image: { width: 2, height: 2, channels: 1 as const, data: new Uint8Array(4) } })),
      arg(() => 2, left),
    ],
  },
  {
    name: "resizeWeights",
    call: picture.resizeWeights,
    args: [
      arg(() => 4),
      arg(() => 2),
      arg(() => 0.5, "fraction", "huge"),
      opts({
        kernel: arg(() => "cubic"),
        a: arg(() => -0.5, ...numbers),
        antialias: trueOrFalse,
        edge: arg(() => "clamp"),
        siting: arg(() => [0.5, 0.5]),
      }),
    ],
  },
];

/** Exports that take nothing, or are no functions. */
const nothingToGet = new Set([
  ...["defaultDevice", "show", "startTrace", "ReLU", "Sigmoid", "SiLU", "Tanh", "Module", "SuperResolver"],
  ...["Identity"],
  ...["Tensor", "FFTLoss", "SSIMLoss"],
  ...["DataError", "GpuError", "ShapeError", "DeviceLostError"],
  "adaptersPresent",
  "measureCeilings", // an export of pixelgrad/kernel, too: kernel.test.ts calls it
]);

test.each(calls.map((call, i) => [`${call.name} (${i})`, call] as const))("%s", async (_, call) => {
  expect(await complaintsAbout(call)).toEqual([]);
});

test("every function is called here", () => {
  const called = new Set(calls.map(({ name }) => name.split(".")[0]));
  const functions = Object.entries({ ...library, ...picture })
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name);
  const missing = functions.filter((name) => !called.has(name) && !nothingToGet.has(name));
  const advice =
    "Add a call of each to `calls` in this file, or its name to `nothingToGet` if it takes no arguments";
  expect(missing, advice).toEqual([]);
});

test("every excuse is one: such exports take no arguments, or another test of this folder calls them", () => {
  const all: Readonly<Record<string, unknown>> = { ...library, ...picture };
  const errors = Object.entries(all).filter(
    ([, value]) => (value as { prototype?: unknown })?.prototype instanceof Error,
  );
  const elsewhere = new Set(["measureCeilings", "Tensor", ...errors.map(([name]) => name)]);
  const excuses = [...nothingToGet].filter((name) => !elsewhere.has(name));
  expect(excuses.filter((name) => (all[name] as { length?: number } | undefined)?.length !== 0)).toEqual([]);
});

/** Which test of this folder enumerates the exports of which entry of the package. */
const testOfEntry: Readonly<Record<string, string>> = {
  ".": "library",
  "./picture": "library",
  "./kernel": "kernel",
  "./data": "files",
  "./train": "files",
  "./evaluate": "files",
  // Browsers alone run these: test/browser/worker.test.ts.
  "./worker": "worker",
  "./worker/thread": "worker",
  "./browser": "worker",
};

test("no entry of the package is without such a test", () => {
  const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const entries = Object.keys(exports).filter((entry) => entry !== "./package.json");
  expect(entries.filter((entry) => !(entry in testOfEntry))).toEqual([]);
});
