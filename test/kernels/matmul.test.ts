import { describe, expect, test } from "vitest";
import { permute } from "../../src/kernels/layout/index.ts";
import { launchProduct, linear, matmul } from "../../src/kernels/matmul/index.ts";
import { tilePlans } from "../../src/kernels/matmul/plan.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(4);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const product = ([a, b]: Tensor[]) => matmul(a, b);

describe("definition", () => {
  test("matrices", () => {
    const a = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      undefined,
      { device: cpu },
    );
    const b = tensor(
      [
        [1, 0],
        [2, 1],
        [0, 3],
      ],
      undefined,
      { device: cpu },
    );
    expect(values(matmul(a, b))).toEqual([5, 11, 14, 23]);
  });

  test("batches multiply one by one, repeated where needed", () => {
    const a = tensor([1, 2, 3, 4, 5, 6], [3, 1, 2], { device: cpu });
    const b = tensor([1, 1, 1, 0, 0, 1], [3, 2, 1], { device: cpu });
    expect(values(matmul(a, b))).toEqual([3, 3, 6]);
    const y = matmul(a, tensor([1, 1, 1, 0], [2, 1, 2, 1], { device: cpu }));
    expect(y.shape).toEqual([2, 3, 1, 1]);
    expect(values(y)).toEqual([3, 7, 11, 1, 3, 5]);
    expect(values(matmul(a, tensor([10, 1], [2, 1], { device: cpu })))).toEqual([12, 34, 56]);
  });

  test("errors", () => {
    const of = (...shape: number[]) =>
      tensor(new Float32Array(shape.reduce((p, n) => p * n, 1)), shape, { device: cpu });
    expect(() => matmul(of(2, 3), of(2, 3))).toThrow(
      /matmul: shapes \[2, 3\] and \[2, 3\].*3 columns.*2 rows/,
    );
    expect(() => matmul(of(3), of(3, 2))).toThrow(/matmul: shapes \[3\] and \[3, 2\].*Reshape/);
    expect(() => matmul(of(2, 3), of(3))).toThrow(ShapeError);
    expect(() => matmul(of(2, 3, 4), of(3, 4, 5))).toThrow(
      /matmul of \[2, 3, 4\] and \[3, 4, 5\].*\[2\] and \[3\]/,
    );
  });
});

test("gradients against differences", () => {
  const cases: [Shape, Shape][] = [
    [
      [3, 2],
      [2, 4],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [2, 3, 2],
      [2, 2, 4],
    ],
    [
      [2, 3, 2],
      [2, 4],
    ],
    [
      [3, 2],
      [2, 2, 4],
    ],
    [
      [2, 1, 3, 2],
      [3, 2, 2],
    ],
    [
      [2, 1, 2, 1, 2, 3],
      [1, 2, 2, 2, 3, 1],
    ],
  ];
  for (const shapes of cases) gradcheck(matmul, shapes.map(input));
});

test("(a b)ᵀ = bᵀ aᵀ", () => {
  const a = input([4, 3, 5]);
  const b = input([4, 5, 2]);
  const transpose = (x: Tensor) => permute(x, [0, 2, 1]);
  const left = values(transpose(matmul(a, b)));
  const right = values(matmul(transpose(b), transpose(a)));
  for (const [i, value] of left.entries()) expect(value).toBeCloseTo(right[i], 12);
});

describe("kernel against the reference", () => {
  // m, k, n: blocks are 1, 4 or 8 wide, tiles 64 wide and 16 deep. Gradients multiply transposed operands.
  const sizes = [
    [1, 1, 1],
    [1, 17, 1],
    [2, 1009, 3],
    [15, 16, 17],
    [16, 15, 16],
    [17, 33, 31],
    [32, 7, 200],
    [33, 16, 33],
    [63, 20, 65],
    [64, 64, 64],
    [65, 129, 63],
    [127, 31, 130],
    [129, 130, 131],
  ];
  for (const adapterClass of [undefined, "gpu"] as const) {
    test(`sizes around blocks and tiles${adapterClass ? ", as on a real GPU" : ""}`, async () => {
      for (const [m, k, n] of sizes) {
        const shapes = [
          [m, k],
          [k, n],
        ];
        const options = { absolute: 1e-4, adapterClass };
        await compareWithCpu(devices, `[${m}, ${k}] [${k}, ${n}]`, product, shapes, options);
      }
    });
  }

  // By rule, results this small would get the smallest tile. Both operands as they are and transposed.
  const sizesOfTiles = { m: 70, n: 130, batch: 2 };
  const plans = [...tilePlans({ blockSums: 64 }, sizesOfTiles)];
  test.each(plans.map((plan, i) => [i, plan] as const))(
    "tile %i of the list, with operands as they are and transposed",
    async (_, plan) => {
      const { m, n, batch } = sizesOfTiles;
      const k = 21;
      for (const device of devices) {
        for (const [left, right] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ]) {
          using _ = scope();
          const [x, w] = [
            randn([batch, m, k], { random, device: cpu }),
            randn([batch, k, n], { random, device: cpu }),
          ];
          const turned = (t: Tensor, turn: boolean) => (turn ? permute(t, [0, 2, 1]) : t);
          const [a, b] = [turned(x, left), turned(w, right)].map((t) =>
            tensor(Float32Array.from(values(t)), t.shape, { device }),
          );
          // What is not stored stays NaN.
          const y = tensor(new Float32Array(batch * m * n).fill(Number.NaN), [batch, m, n], { device });
          launchProduct(device, { a, b }, { a: left, b: right }, y, plan);
          expectClose(await y.data(), Float32Array.from(values(matmul(x, w))), { absolute: 1e-4 });
        }
      }
    },
  );

  test("batches", async () => {
    const cases: [Shape, Shape][] = [
      [
        [3, 5, 7],
        [3, 7, 2],
      ],
      [
        [3, 5, 7],
        [7, 2],
      ],
      [
        [5, 7],
        [3, 7, 2],
      ],
      [
        [2, 1, 17, 3],
        [3, 3, 18],
      ],
      [
        [2, 40, 33],
        [1, 33, 34],
      ],
      [
        [2, 3, 1, 2, 5, 4],
        [3, 2, 1, 4, 3],
      ],
      [
        [1, 3, 2, 1, 2, 9],
        [2, 1, 1, 3, 9, 2],
      ],
    ];
    for (const shapes of cases) {
      for (const adapterClass of [undefined, "gpu"] as const) {
        await compareWithCpu(devices, `[${shapes.join("] [")}]`, product, shapes, {
          absolute: 1e-4,
          adapterClass,
        });
      }
    }
  });

  test("grids that fold", async () => {
    const shapes = [
      [65537, 8, 1],
      [65537, 1, 8],
    ];
    await compareWithCpu(devices, "a large batch", product, shapes, { gradients: false });
  });
});

describe("linear", () => {
  test("is x wᵀ + b", () => {
    const x = tensor([[1, 2]], undefined, { device: cpu });
    const w = tensor(
      [
        [1, 1],
        [2, 0],
        [0, -1],
      ],
      undefined,
      { device: cpu },
    );
    expect(values(linear(x, w))).toEqual([3, 2, -2]);
    expect(values(linear(x, w, tensor([10, 20, 30], undefined, { device: cpu })))).toEqual([13, 22, 28]);
    expect(linear(tensor([1, 2], undefined, { device: cpu }), w).shape).toEqual([3]);
    expect(() => linear(x, x, x)).toThrow(/linear: x \[1, 2\], weight \[1, 2\] and bias \[1, 2\] do not fit/);
    expect(() => linear(w, tensor([[1, 2, 3]], undefined, { device: cpu }))).toThrow(ShapeError);
  });

  test("gradients against differences", () => {
    for (const shape of [[3], [2, 3], [2, 2, 3]])
      gradcheck(linear, [input(shape), input([4, 3]), input([4])]);
    gradcheck((x, w) => linear(x, w), [input([2, 3]), input([1, 3])]);
  });

  test("kernels against the reference", async () => {
    for (const [n, inputs, outputs] of [
      [1, 1, 1],
      [5, 17, 10],
      [64, 65, 33],
      [130, 33, 129],
    ]) {
      for (const adapterClass of [undefined, "gpu"] as const) {
        const shapes = [[n, inputs], [outputs, inputs], [outputs]];
        const options = { absolute: 1e-4, adapterClass };
        await compareWithCpu(devices, "linear", ([x, w, b]) => linear(x, w, b), shapes, options);
      }
    }
  });
});
