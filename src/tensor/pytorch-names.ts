/** What PyTorch's tensors have and these do not: sentences for programs in JavaScript. */
import type { Sentences } from "../options/foreign-names.ts";

/** Methods of PyTorch's tensors that are functions here, under the same name. */
const functions =
  "abs add argmax clamp cos detach div eq exp flatten flip ge gt le log lt matmul max maximum mean min " +
  "minimum mul ne neg permute pow prelu relu reshape sigmoid sin slice softmax split sqrt square " +
  "squeeze std sub sum tanh transpose unsqueeze";

const asFunctions = Object.fromEntries(
  functions.split(" ").map((name) => [name, `Operations are functions: write ${name}(x, …).`]),
);

const onDevices =
  "A tensor is made on the device of init(), or of the option { device }. Leave this out; await x.data() brings the " +
  "values to JavaScript, and await x.to(device) to another device that openDevice() has opened.";
const toJavaScript = "Write await x.data(), a Float32Array of all values.";
const inPlace =
  "Operations change nothing in place. Write x = add(x, y) and so on; x.assign(add(x, y)) overwrites x.";

export const methodSentences: Sentences = {
  ...asFunctions,
  backward: "Write const gradients = backward(loss), and optimizer.step(gradients).",
  clamp_: inPlace,
  clip: "Write clamp(x, low, high).",
  clone: "No operation changes a tensor, so a clone is rarely needed. mul(x, 1) makes one.",
  contiguous: "Tensors are always contiguous: leave it out.",
  copy_: "Write x.assign(y), where y is a tensor of the same shape or a list of numbers.",
  cpu: onDevices,
  cuda: onDevices,
  dim: "Write x.shape.length.",
  divide: "Write div(x, y).",
  add_: inPlace,
  amax: "Write max(x, axes).",
  amin: "Write min(x, axes).",
  chunk: "Write split(x, size, axis), which takes the size of a part and not their number.",
  cumsum:
    "There are no cumulative sums. Along the last axis, matmul(x, upper) makes them, where upper is a matrix with 1 " +
    "on and above its diagonal, and 0 below.",
  float: 'Values are float32: leave it out. Of a tensor stored as float16, write cast(x, "float32").',
  gather:
    "There is no indexing by tensors. Write sum(mul(x, mask), axis), where mask has 1 in the places that count, or " +
    "take numbers of await x.data().",
  half: 'Write cast(x, "float16").',
  div_: inPlace,
  mul_: inPlace,
  sub_: inPlace,
  dot: "Write sum(mul(x, y)).",
  expand: "Write broadcastTo(x, shape).",
  fill_: "Write x.assign(values), or full(shape, value) for a new tensor.",
  log_softmax: "Write logSoftmax(x, axis).",
  masked_fill: "Write where(mask, value, x).",
  mm: "Write matmul(x, y).",
  multiply: "Write mul(x, y).",
  norm: "Write sqrt(sum(mul(x, x))).",
  numel: "Write x.size.",
  numpy: toJavaScript,
  repeat: "Write concat([x, x], axis) or broadcastTo(x, shape).",
  requires_grad_: "Write x.requiresGrad = true before you use it.",
  retain_grad: "Name the tensors: backward(loss, [x, ...model.parameters()]) has a gradient for x, too.",
  subtract: "Write sub(x, y).",
  t: "Write transpose(x, 0, 1).",
  tolist: toJavaScript,
  var: "Write variance(x, axes): var is a word of JavaScript's own.",
  where: "Write where(condition, x, y).",
  view: "Write reshape(x, shape), which shares the memory.",
  zero_: "Write x.assign(new Float32Array(x.size)), or zeros(x.shape) for a new tensor.",
};

const entry = (start: string, end: string) =>
  `Write squeeze(slice(x, [${start}], [${end}]), 0) for this part, which is a tensor, or (await x.data())[i] for a ` +
  "number in JavaScript.";

export const propertySentences: Sentences = {
  // The first indices that anybody tries.
  "-1": entry("-1", "Infinity"),
  0: entry("0", "1"),
  1: entry("1", "2"),
  T: "Write transpose(x, 0, 1).",
  grad: "backward(loss) returns the gradients: const gradients = backward(loss), then gradients.get(x).",
  length: "Write x.shape[0] for the size of the first axis, or x.size for the number of elements.",
  ndim: "Write x.shape.length.",
  requires_grad: "Write requiresGrad.",
};

export const arithmetic =
  "A tensor is no number, and JavaScript has no operators for tensors. Write add(x, y), sub(x, y), mul(x, y) or " +
  "div(x, y); y may be a number. await x.item() is the value of a tensor with one element.";
