/** What follows a convolution: fused with it, on the way to memory, or as a kernel of its own. */
import { type Conv2dOptions, conv2d } from "../src/kernels/conv2d/index.ts";
import { add, relu } from "../src/kernels/elementwise/index.ts";
import { pixelShuffle } from "../src/kernels/pixel-shuffle/index.ts";
import { tensor } from "../src/tensor/create.ts";
import type { NdArray } from "../src/tensor/op.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { type ConvSize, convSize, convWork, describe, forwardSamples, operands, smaller } from "./conv2d.ts";
import type { Bench, Make, Sample } from "./harness.ts";

interface Epilogue {
  readonly what: string;
  fused(skip: Tensor): Conv2dOptions;
  apart(y: Tensor, skip: Tensor): Tensor;
  /** What becomes of an element of the convolution's result. */
  sample(element: Sample, size: ConvSize, skip: NdArray): Sample;
}

const withRelu: Epilogue = {
  what: "relu",
  fused: () => ({ activation: "relu" }),
  apart: (y) => relu(y),
  sample: ({ index, value }) => ({ index, value: Math.max(0, value) }),
};

const withSkip: Epilogue = {
  what: "skip",
  fused: (skip) => ({ skip }),
  apart: (y, skip) => add(skip, y),
  sample: ({ index, value }, _, skip) => ({ index, value: value + skip.data[index] }),
};

const withShuffle: Epilogue = {
  what: "shuffle",
  fused: () => ({ shuffle: 2 }),
  apart: (y) => pixelShuffle(y, 2),
  sample({ index, value }, { h, w }) {
    const [column, row, channel] = [index % w, Math.floor(index / w) % h, Math.floor(index / (w * h))];
    const [i, j] = [2 * row + (Math.floor(channel / 2) % 2), 2 * column + (channel % 2)];
    return { index: (Math.floor(channel / 4) * 2 * h + i) * 2 * w + j, value };
  },
};

export function epilogueBenches(quick: boolean): Bench[] {
  const side = quick ? 24 : 96;
  return [
    bench(withRelu, convSize(64, 64, 3, side)),
    bench(withSkip, convSize(64, 64, 3, side)),
    bench(withSkip, convSize(16, 16, 3, side)),
    bench(withShuffle, convSize(64, 256, 3, side)),
  ];
}

function bench(epilogue: Epilogue, size: ConvSize): Bench {
  const small = smaller(size);
  const shape = `${describe(size)}, ${epilogue.what}`;
  return {
    name: "conv2d-epilogue",
    shape,
    variants: ["fused", "apart"],
    make: program(epilogue, size),
    work: work(epilogue, size),
    whole: { what: describe(small), make: program(epilogue, small), work: work(epilogue, small) },
    sampled: [
      {
        what: `elements of ${shape}`,
        make: program(epilogue, size),
        samples() {
          const skip = operands(size).dy;
          return forwardSamples(size).map((element) => epilogue.sample(element, size, skip));
        },
      },
    ],
    tolerance: 2e-5,
  };
}

function work(epilogue: Epilogue, size: ConvSize) {
  const { flops, bytes } = convWork(size);
  const skip = epilogue === withSkip ? 4 * size.n * size.o * size.h * size.w : 0;
  return { flops, bytes: bytes + skip };
}

function program(epilogue: Epilogue, size: ConvSize): Make {
  return (variant) => {
    const { x, w, dy } = operands(size);
    const [xs, ws, skip] = [x, w, dy].map(({ data, shape }) => tensor(data, shape));
    const padding = (size.k - 1) / 2;
    const fused = { padding, ...epilogue.fused(skip) };
    return {
      run() {
        if (variant === "fused") return [conv2d(xs, ws, undefined, fused)];
        return [epilogue.apart(conv2d(xs, ws, undefined, { padding }), skip)];
      },
    };
  };
}
