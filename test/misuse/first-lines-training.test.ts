/** The same for training and for networks; see first-lines.test.ts. */
import { CpuDevice } from "../../src/device/cpu-device.ts";
import * as torch from "../../src/node.ts";
import { gives, type Line, says, testLines } from "./first-lines.ts";

const { Adam, backward, Conv2d, L1Loss, mul, noGrad, relu, Sequential, sum, tensor, zeros } = torch;

torch.setDefaultDevice(new CpuDevice("float32"));
const x = tensor([
  [1, 2],
  [3, 4],
]);
const w = tensor([1, 2], { requiresGrad: true });
const loss = sum(mul(w, w));
const model = new Sequential(new Conv2d(3, 4, 3), new torch.ReLU());
const optimizer = new Adam(model.parameters());
const pictures = zeros([1, 3, 8, 8]);

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

testLines({ training, networks });
