/**
 * The first lines of somebody who knows PyTorch, written in JavaScript as one would guess. Each works, or gets
 * a sentence that says what to write; to model(x) and x.size(0) JavaScript itself says that these are no
 * functions. `@ts-expect-error` marks what TypeScript refuses, too. docs/from-pytorch.md has the table for
 * people.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as elementwise from "../../src/kernels/elementwise/index.ts";
import { moduleSentences, optimizerSentences } from "../../src/nn/pytorch-names.ts";
import * as torch from "../../src/node.ts";
import type { Sentences } from "../../src/options/foreign-names.ts";
import { methodSentences, propertySentences } from "../../src/tensor/pytorch-names.ts";

const {
  Adam,
  add,
  backward,
  Conv2d,
  interpolate,
  L1Loss,
  matmul,
  mul,
  noGrad,
  rand,
  randn,
  relu,
  reshape,
  Sequential,
  sum,
  Tensor,
  tensor,
  zeros,
} = torch;

torch.setDefaultDevice(new CpuDevice("float32"));
const x = tensor([
  [1, 2],
  [3, 4],
]);
const y = tensor([[1], [1]]);
const w = tensor([1, 2], { requiresGrad: true });
const loss = sum(mul(w, w));
const model = new Sequential(new Conv2d(3, 4, 3), new torch.ReLU());
const optimizer = new Adam(model.parameters());
const pictures = zeros([1, 3, 8, 8]);
const { functional } = { functional: torch };

/** PyTorch's line, what one writes, and what comes of it: a value, or a part of the error's message. */
type Line = readonly [torch: string, write: () => unknown, expected: Outcome];
type Outcome = { readonly gives: unknown } | { readonly says: string };
const gives = (value: unknown) => ({ gives: value });
const says = (sentence: string) => ({ says: sentence });

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
      "A tensor has no [0]. Write slice(x, [1], [2]) for a part, which is a tensor, or (await x.data())[i]",
    ),
  ],
  [
    "x[-1]",
    // @ts-expect-error
    () => x[-1],
    says("A tensor has no [-1]. Write slice("),
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

const training: Line[] = [
  [
    "x.requires_grad = True",
    () => {
      // @ts-expect-error
      tensor([1]).requires_grad = true;
    },
    says("A tensor has no requires_grad. Write requiresGrad."),
  ],
  [
    "loss.backward()",
    // @ts-expect-error
    () => loss.backward(),
    says("Write const gradients = backward(loss), and optimizer.step(gradients)."),
  ],
  [
    "w.grad",
    // @ts-expect-error
    () => w.grad,
    says("const gradients = backward(loss), then gradients.get(x)"),
  ],
  ["torch.autograd.grad(loss, w)", async () => [...(await backward(loss).get(w)!.data())], gives([2, 4])],
  ["backward(x), no scalar", () => backward(mul(w, w)), says("Reduce it with mean() or sum().")],
  ["with torch.no_grad(): …", () => noGrad(() => mul(w, w)).node, gives(undefined)],
  ["torch.optim.Adam(p, lr=1e-3)", () => optimizer.lr, gives(1e-3)],
  [
    "torch.optim.Adam(p, 1e-3)",
    // @ts-expect-error
    () => new Adam(model.parameters(), 1e-3),
    says("Adam: options are an object such as { lr: 1e-3 }, got 0.001."),
  ],
  [
    "torch.optim.Adam(p, weight_decay=0.1)",
    // @ts-expect-error
    () => new Adam(model.parameters(), { weight_decay: 0.1 }),
    says('the option "weight_decay" is called weightDecay here'),
  ],
  [
    "optimizer.zero_grad()",
    // @ts-expect-error
    () => optimizer.zero_grad(),
    says("There is nothing to reset, for backward(loss) returns new gradients: leave it out."),
  ],
  [
    "optimizer.step()",
    // @ts-expect-error
    () => optimizer.step(),
    says("Write optimizer.step(backward(loss))."),
  ],
  [
    "optimizer.param_groups[0]['lr']",
    // @ts-expect-error
    () => optimizer.param_groups[0].lr,
    says("Write optimizer.lr."),
  ],
  [
    "StepLR(optimizer, 10)",
    // @ts-expect-error
    () => torch.stepLR(optimizer, 10),
    says("stepLR: lr must be a number of at least 0"),
  ],
];

const networks: Line[] = [
  [
    "model(x)",
    // @ts-expect-error
    () => model(pictures),
    says("model is not a function"),
  ],
  ["model.forward(x)", () => model.forward(pictures).shape, gives([1, 4, 6, 6])],
  [
    "loss_fn(x, y)",
    // @ts-expect-error
    () => L1Loss()(x, x),
    says("Class constructor L1Loss cannot be invoked without 'new'"),
  ],
  ["nn.L1Loss().forward(x, y)", () => new L1Loss().forward(x, x).item(), gives(0)],
  [
    "nn.Conv2d(3, 16, 3, 1)",
    // @ts-expect-error
    () => new Conv2d(3, 16, 3, 1),
    says("Conv2d: options are an object with stride, padding, dilation, paddingMode, bias, random, got 1."),
  ],
  [
    "nn.Sequential([a, b])",
    // @ts-expect-error
    () => new Sequential([new torch.ReLU()]),
    says("Give modules one by one"),
  ],
  [
    "nn.Sequential(F.relu)",
    // @ts-expect-error
    () => new Sequential(relu),
    says("Give modules one by one"),
  ],
  [
    "for p in model.parameters(): …",
    () => {
      let count = 0;
      for (const p of model.parameters()) count += p.size;
      return count;
    },
    gives(3 * 4 * 9 + 4),
  ],
  [
    "class Net(nn.Module) without forward",
    // @ts-expect-error
    () => new (class extends torch.Module {})().forward(x),
    says("A class of your own needs the method forward"),
  ],
  [
    "model.modules()",
    // @ts-expect-error
    () => new Conv2d(3, 4, 3).modules(),
    says("Its parts are its properties"),
  ],
  [
    "model.named_parameters()",
    // @ts-expect-error
    () => model.named_parameters(),
    says("Write model.namedTensors(), a Map."),
  ],
  [
    "model.to('cuda')",
    // @ts-expect-error
    () => model.to("cuda"),
    says('Sequential.to: device must be a device, such as openDevice() returns, got "cuda".'),
  ],
  [
    "model.cuda()",
    // @ts-expect-error
    () => model.cuda(),
    says("await model.to(device) moves it"),
  ],
  [
    "model.zero_grad()",
    // @ts-expect-error
    () => model.zero_grad(),
    says("leave it out"),
  ],
  [
    "model.state_dict()",
    // @ts-expect-error
    () => model.state_dict(),
    says("Write await model.stateDict()"),
  ],
  [
    "model.load_state_dict(state)",
    // @ts-expect-error
    () => model.load_state_dict({}),
    says("Write model.loadStateDict(state)"),
  ],
  ["model.state_dict()", async () => [...(await model.stateDict()).keys()], gives(["0.weight", "0.bias"])],
  [
    "torch.save(model, path)",
    // @ts-expect-error
    () => torch.saveWeights(model, "model.safetensors"),
    says("To write the file: await writeFile(path, await saveWeights(model))."),
  ],
  [
    "model.load(path)",
    // @ts-expect-error
    () => torch.loadWeights(model, "model.safetensors"),
    says("To read the file: loadWeights(model, await readFile(path), path)."),
  ],
];

describe.each(Object.entries({ making, reading, computing, training, networks }))("%s", (_, lines) => {
  test.each(lines)("%s", async (_, write, expected) => {
    // Awaited in one place, so that it does not matter whether a line is asynchronous.
    const outcome = await Promise.resolve()
      .then(write)
      .then(
        (value) => ({ gives: value }),
        (error: Error) => ({ says: error.message }),
      );
    if ("gives" in expected) expect(outcome).toEqual(expected);
    else expect(outcome).toEqual({ says: expect.stringContaining(expected.says) });
  });
});

describe("the sentences", () => {
  const members = (prototype: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { get, value }]) => {
      try {
        get ? get.call(x) : value?.toString().includes("has no method") && value();
      } catch (error) {
        return [[name, (error as Error).message] as const];
      }
      return [];
    });
  const classes = [
    ["Tensor", members(Tensor.prototype)],
    ["Module", members(torch.Module.prototype)],
    ["Adam", members(Object.getPrototypeOf(Adam.prototype))],
  ] as const;

  test.each(classes)("of %s name only what there is", (_, sentences) => {
    expect(sentences.length).toBeGreaterThan(2);
    for (const [name, message] of sentences) {
      const sentence = message.slice(message.indexOf(". ") + 2);
      for (const [, called] of sentence.matchAll(/(?<![.\w]|new )(\w+)\(/g)) {
        expect(torch, `${name}: ${sentence}`).toHaveProperty(called);
      }
    }
  });

  const foreign: [string, object, Sentences, string][] = [
    ["x.", x, methodSentences, "()"],
    ["x.", x, propertySentences, ""],
    ["model.", new Conv2d(3, 4, 3), moduleSentences, "()"],
    ["optimizer.", optimizer, optimizerSentences, "()"],
  ];
  const all = foreign.flatMap(([of, object, sentences, call]) =>
    Object.entries(sentences)
      .filter(([name]) => name !== "forward") // which this network has
      .map(
        ([name, sentence]) =>
          [`${of}${name}${call}`, object as Record<string, unknown>, name, sentence] as const,
      ),
  );

  test.each(all)("%s throws its sentence", (line, object, name, sentence) => {
    const use = () => (line.endsWith("()") ? (object[name] as () => unknown)() : object[name]);
    expect(use).toThrow(sentence);
  });

  test("are about a hundred, as docs/from-pytorch.md says", () => {
    expect(Math.round(all.length / 50)).toBe(2);
  });

  test("a tensor has one for every operation that PyTorch's tensors have as a method", () => {
    // PyTorch has these only as functions, or under other names, or not at all.
    const others =
      "avgPool2d batchNorm binaryCrossEntropyWithLogits broadcastTo cast charbonnierLoss concat " +
      "conv2d convTranspose2d crossEntropy denseConv2d dropout elu gelu huberLoss interpolate " +
      "l1Loss leakyRelu linear logSoftmax maxPool2d mseLoss pad pixelShuffle pixelUnshuffle silu " +
      "slice smoothL1Loss softplus stack symmetricGate variance";
    const explained = new Map<string, string>(classes[0][1]);
    expect(operations()).toContain("relu");
    const missing = operations().filter((name) => !explained.has(name) && !others.split(" ").includes(name));
    const advice =
      "Has torch.Tensor this method? Then add its name to `functions` in src/tensor/pytorch-names.ts. " +
      "If not, add it to `others` above";
    expect(missing, advice).toEqual([]);
  });

  test("they hide no member of a class, and lists of members do not show them", () => {
    expect(Object.keys(x)).not.toContain("relu");
    const listed: string[] = [];
    for (const name in x) listed.push(name);
    expect(listed).not.toContain("relu");
    expect([Tensor.prototype.dispose.name, "size" in x, x.size]).toEqual(["dispose", true, 4]);
    // A network may have members with these names of its own.
    class Own extends Sequential {
      cuda = 3;
      override toString() {
        return "own";
      }
      zero_grad() {
        return 4;
      }
    }
    expect([new Own().cuda, new Own().zero_grad(), `${new Own()}`]).toEqual([3, 4, "own"]);
  });
});

/** The operations that the library exports. */
function operations(): string[] {
  const text = readFileSync(new URL("../../src/index.ts", import.meta.url), "utf8");
  const lists = [...text.matchAll(/^export \{([^}]*)\} from "\.\/kernels\//gm)].map(([, list]) => list);
  const names = lists
    .join(",")
    .split(",")
    .map((name) => name.trim());
  return [...names.filter((name) => /^\w+$/.test(name)), ...Object.keys(elementwise)];
}
