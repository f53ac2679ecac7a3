/**
 * The first lines of somebody who knows PyTorch, written in JavaScript as one would guess. Each works, or gets
 * a sentence that says what to write; to model(x) and x.size(0) JavaScript itself says that these are no
 * functions. `@ts-expect-error` marks what TypeScript refuses, too. docs/from-pytorch.md has the table for
 * people.
 */
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as torch from "../../src/node.ts";
import { gives, type Line, says, testLines } from "./first-lines.ts";

const { add, interpolate, matmul, rand, randn, reshape, sum, tensor, zeros } = torch;

torch.setDefaultDevice(new CpuDevice("float32"));
const x = tensor([
  [1, 2],
  [3, 4],
]);
const y = tensor([[1], [1]]);
const pictures = zeros([1, 3, 8, 8]);
const { functional } = { functional: torch };

const making: Line[] = [
  ["torch.tensor([1., 2.])", () => tensor([1, 2]).shape, gives([2])],
  ["torch.tensor([[1., 2.], [3., 4.]])", () => x.shape, gives([2, 2])],
  ["torch.tensor(3.)", () => tensor(3).shape, gives([])],
  [
    "ToTensor()(image)",
    // @ts-expect-error
    () => tensor({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) }),
    says("tensor: got a picture, whose samples lie pixel by pixel. Write tensor(toPlanar(image), "),
  ],
  [
    "torch.tensor(v, requires_grad=True)",
    () => tensor([1, 2], { requiresGrad: true }).requiresGrad,
    gives(true),
  ],
  ["torch.tensor(v, device='cpu')", () => tensor([1], { device: x.device }).device.name, gives("cpu")],
  [
    "torch.tensor(v, requires_grad=True)",
    // @ts-expect-error
    () => tensor([1, 2], { requires_grad: true }),
    says('the option "requires_grad" is called requiresGrad here'),
  ],
  [
    "torch.tensor('cpu')",
    // @ts-expect-error
    () => tensor("3"),
    says("the first argument is a number, a list of numbers, or a list of such lists"),
  ],
  ["torch.zeros([2, 3])", () => zeros([2, 3]).shape, gives([2, 3])],
  [
    "torch.zeros(2, 3)",
    // @ts-expect-error
    () => zeros(2, 3),
    says("zeros: a shape is a list of sizes such as [2, 3], got 2."),
  ],
  [
    "torch.ones(3, requires_grad=True)",
    // @ts-expect-error
    () => torch.ones(3, { requiresGrad: true }),
    says("ones: a shape is a list of sizes"),
  ],
  ["torch.zeros_like(x)", () => zeros(x.shape).shape, gives([2, 2])],
  ["torch.randn([2, 3])", () => randn([2, 3]).shape, gives([2, 3])],
  [
    "torch.randn(2, 3)",
    // @ts-expect-error
    () => randn(2, 3),
    says("randn: a shape is a list of sizes such as [2, 3], got 2."),
  ],
  ["torch.rand([2])", () => rand([2]).shape, gives([2])],
  ["torch.manual_seed(0)", () => torch.manualSeed(0) instanceof torch.Random, gives(true)],
  ["torch.full([2], 7.)", async () => [...(await torch.full([2], 7).data())], gives([7, 7])],
];

const reading: Line[] = [
  ["x.shape", () => x.shape, gives([2, 2])],
  ["x.shape[0]", () => x.shape[0], gives(2)],
  ["x.item()", () => sum(x).item(), gives(10)],
  [
    "total += loss.item()",
    // @ts-expect-error
    () => 0 + sum(x).item(),
    says("x.item() returns a promise, for a GPU has to be waited for. Write await x.item()"),
  ],
  ["print(f'{loss.item()}')", () => `${sum(x).item()}`, says("Write await x.item()")],
  ["print(f'{x}')", () => `${x}`, gives("Tensor[2, 2] on cpu")],
  ["x.item()", () => x.item(), says("item: wants a tensor with one element, got shape [2, 2]; use data().")],
  [
    "x.numpy()",
    // @ts-expect-error
    () => x.numpy(),
    says("Write await x.data(), a Float32Array of all values."),
  ],
  [
    "x.tolist()",
    // @ts-expect-error
    () => x.tolist(),
    says("Write await x.data()"),
  ],
  [
    "x[0]",
    // @ts-expect-error
    () => x[0],
    says(
      "A tensor has no [0]. Write squeeze(slice(x, [0], [1]), 0) for this part, which is a tensor, or (await x.data())[i]",
    ),
  ],
  [
    "x[-1]",
    // @ts-expect-error
    () => x[-1],
    says("A tensor has no [-1]. Write squeeze(slice(x, [-1], [Infinity]), 0) for this part,"),
  ],
  [
    "len(x)",
    // @ts-expect-error
    () => x.length,
    says("Write x.shape[0] for the size of the first axis, or x.size"),
  ],
  [
    "x.size(0)",
    // @ts-expect-error
    () => x.size(0),
    says("x.size is not a function"),
  ],
  [
    "x.dim()",
    // @ts-expect-error
    () => x.dim(),
    says("Write x.shape.length."),
  ],
  [
    "x.ndim",
    // @ts-expect-error
    () => x.ndim,
    says("Write x.shape.length."),
  ],
  [
    "x.numel()",
    // @ts-expect-error
    () => x.numel(),
    says("Write x.size."),
  ],
];

const computing: Line[] = [
  [
    "x + y",
    // @ts-expect-error
    () => x + y,
    says("A tensor is no number, and JavaScript has no operators for tensors. Write add(x, y)"),
  ],
  [
    "x * 2",
    // @ts-expect-error
    () => x * 2,
    says("mul(x, y)"),
  ],
  ["-x", () => -x, says("A tensor is no number")],
  [
    "x > 0",
    // @ts-expect-error
    () => x > 0,
    says("A tensor is no number"),
  ],
  ["float(x)", () => Number(x), says("await x.item() is the value")],
  [
    "x.relu()",
    // @ts-expect-error
    () => x.relu(),
    says("A tensor has no method relu(). Operations are functions: write relu(x, …)."),
  ],
  [
    "x.mean()",
    // @ts-expect-error
    () => x.mean(),
    says("write mean(x, …)"),
  ],
  [
    "x.matmul(y)",
    // @ts-expect-error
    () => x.matmul(y),
    says("write matmul(x, …)"),
  ],
  [
    "x.add_(1)",
    // @ts-expect-error
    () => x.add_(1),
    says("Operations change nothing in place"),
  ],
  [
    "x.view(4)",
    // @ts-expect-error
    () => x.view(4),
    says("Write reshape(x, shape)"),
  ],
  [
    "x.reshape(4)",
    // @ts-expect-error
    () => x.reshape(4),
    says("write reshape(x, …)"),
  ],
  ["torch.reshape(x, [4])", () => reshape(x, [4]).shape, gives([4])],
  [
    "x.T",
    // @ts-expect-error
    () => x.T,
    says("Write transpose(x, 0, 1)."),
  ],
  [
    "x.clone()",
    // @ts-expect-error
    () => x.clone(),
    says("mul(x, 1) makes one"),
  ],
  [
    "x.to('cuda')",
    // @ts-expect-error
    () => x.to("cuda"),
    says('to: wants a device, such as openDevice() returns, got "cuda". Leave it out'),
  ],
  [
    "x.to(torch.float16)",
    // @ts-expect-error
    () => x.to("float16"),
    says('write cast(x, "float16"), or model.half().'),
  ],
  ["x.to(x.device)", async () => (await x.to(x.device)) === x, gives(true)],
  [
    "x.cuda()",
    // @ts-expect-error
    () => x.cuda(),
    says("await x.to(device) to another device that openDevice() has opened"),
  ],
  [
    "x.cpu()",
    // @ts-expect-error
    () => x.cpu(),
    says("await x.data() brings the values to JavaScript"),
  ],
  ["torch.matmul(x, y)", () => matmul(x, y).shape, gives([2, 1])],
  [
    "torch.matmul(x, vector)",
    () => matmul(x, tensor([1, 2])),
    says("Reshape a vector to [1, k] on the left"),
  ],
  ["F.relu(x)", () => functional.relu(x).shape, gives([2, 2])],
  ["torch.sum(x, dim=0)", () => sum(x, 0).shape, gives([2])],
  ["torch.add(x, 1)", async () => [...(await add(x, 1).data())], gives([2, 3, 4, 5])],
  [
    "F.interpolate(x, scale_factor=2)",
    // @ts-expect-error
    () => interpolate(pictures, { scale_factor: 2 }),
    says('the option "scale_factor" is called scaleFactor here'),
  ],
  [
    "F.softmax(x)",
    // @ts-expect-error
    () => torch.softmax(x),
    says("softmax: say along which axis, -2 to 1, such as softmax(x, 1)."),
  ],
  [
    "F.interpolate(x, scale_factor=2, mode='bicubic')",
    // @ts-expect-error
    () => interpolate(pictures, { scale_factor: 2, mode: "bicubic" }),
    says('the option "scale_factor" is called scaleFactor here'),
  ],
];

testLines({ making, reading, computing });
