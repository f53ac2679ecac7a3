/**
 * Reverse-mode automatic differentiation. Every operation on tensors that need a gradient leaves a note of
 * itself on its result (`tensor.node`): which operation, which inputs. Following the notes from a loss back
 * to the parameters, each operation's backward rule turns the gradient with respect to its output into
 * gradients with respect to its inputs. That is the whole of backpropagation. (The notes together are called
 * a tape, which is played backwards.)
 */
import { accumulate } from "./accumulate.ts";
import { noGrad } from "./op.ts";
import { keep, scope } from "./scope.ts";
import { formatShape, ShapeError, sameShape } from "./shape.ts";
import { type TapeNode, Tensor } from "./tensor.ts";

/** Gradient of the loss with respect to each tensor it was asked for. */
export type Gradients = Map<Tensor, Tensor>;

/**
 * The gradients of `loss` (one element) with respect to `wanted`: by default every tensor with `requiresGrad`
 * that the loss depends on. Only what leads to a wanted tensor is computed. Nothing is stored on the tensors,
 * so there is nothing to reset before the next step.
 *
 * The gradients are new tensors of the scope that is open here, and go with it.
 *
 * Throws if a wanted tensor does not influence the loss or there is none, if an operation on the way has no
 * gradient rule, or if a tensor on the way has been overwritten or disposed since.
 */
export function backward(loss: Tensor, wanted?: Iterable<Tensor>): Gradients {
  if (loss.size !== 1) {
    throw new ShapeError(
      `backward: the loss must have one element, got shape ${formatShape(loss.shape)}. Reduce it with mean() or sum().`,
    );
  }
  const order = dependencies(loss);
  const targets = new Set(wanted ?? order.filter((tensor) => tensor.requiresGrad));
  if (targets.size === 0) {
    throw new Error(
      `backward: the loss depends on no tensor whose gradient is wanted. Set requiresGrad on parameters before using ` +
        `them, and do not compute the loss under noGrad().`,
    );
  }
  const reached = new Set(order);
  for (const target of targets) {
    if (!reached.has(target)) {
      throw new Error(
        `backward: the loss does not depend on the tensor of shape ${formatShape(target.shape)} whose gradient was ` +
          `asked for. Set requiresGrad before using it, and do not compute the loss under noGrad().`,
      );
    }
  }
  // In order of creation, inputs come before what was computed from them.
  const needed = new Set<Tensor>();
  for (const tensor of order) {
    if (targets.has(tensor) || tensor.node?.inputs.some((input) => needed.has(input.tensor)))
      needed.add(tensor);
  }

  using _ = noGrad();
  const gradients: Gradients = new Map();
  const seed = Tensor.empty(loss.shape, loss.device);
  seed.device.write(seed.storage, [1]); // the loss's gradient with respect to itself: where the chain rule begins
  gradients.set(loss, seed);
  for (const tensor of order.reverse()) {
    const dy = gradients.get(tensor);
    if (!dy) continue;
    if (tensor.node && needed.has(tensor)) propagate(tensor, tensor.node, dy, needed, gradients);
    if (!targets.has(tensor)) {
      gradients.delete(tensor);
      dy.dispose();
    }
  }
  return gradients;
}

/**
 * The loss and all it was computed from, in order of creation. A tensor is made after its inputs: walked
 * backwards, this order meets each tensor when all that was made from it has handed on its gradient.
 */
function dependencies(loss: Tensor): Tensor[] {
  const found = new Set([loss]);
  // A Set visits what is added while it is being walked.
  for (const tensor of found) {
    if (tensor.disposed && (tensor.node || tensor.requiresGrad)) {
      throw new Error(
        `backward: a tensor of shape ${formatShape(tensor.shape)}${tensor.node ? `, made by ${tensor.node.name},` : ""} has ` +
          `been disposed, so no gradient can flow through it. Call backward before its scope ends.`,
      );
    }
    for (const input of tensor.node?.inputs ?? []) found.add(input.tensor);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** Hands the gradient of one operation's output on to its inputs. */
function propagate(
  output: Tensor,
  node: TapeNode,
  dy: Tensor,
  needed: ReadonlySet<Tensor>,
  gradients: Gradients,
): void {
  // All inputs, also those whose own gradient is not needed: the rules of the others may read their values.
  const read = [
    ...node.inputs.map((input) => ({ ...input, what: `input ${input.name}` })),
    { tensor: output, version: node.version, what: "the result" },
  ];
  for (const { tensor, version, what } of read) {
    if (!tensor.disposed && tensor.storage.version !== version) {
      throw new Error(
        `backward: ${what} of ${node.name} (shape ${formatShape(tensor.shape)}) has been overwritten since, and the ` +
          `gradient depends on the old values. Call backward before the optimiser's step or assign().`,
      );
    }
  }
  const inputs = node.inputs.filter((input) => needed.has(input.tensor));
  // Temporaries of the rule go at the end of this block.
  using temporaries = scope();
  const thunks = node.backward?.(dy);
  for (const { name, tensor } of inputs) {
    const thunk = thunks?.[name];
    if (!thunk)
      throw new Error(`backward: ${node.name} has no gradient rule with respect to its input ${name}.`);
    let gradient = thunk();
    if (!sameShape(gradient.shape, tensor.shape)) {
      throw new ShapeError(
        `backward: the rule of ${node.name} gave a gradient of shape ${formatShape(gradient.shape)} for its input ` +
          `${name} of shape ${formatShape(tensor.shape)}.`,
      );
    }
    const sum = gradients.get(tensor);
    if (sum) {
      // The first gradient may share memory with another tensor's (see below): then it gets its own first.
      if (sum.storage.refs > 1) {
        gradients.set(tensor, keep(copyOf(sum)));
        sum.dispose();
      }
      accumulate(gradients.get(tensor)!, gradient);
      continue;
    }
    // A rule may pass dy on as it is (addition does), or a tensor it was given. A second handle on the same
    // memory keeps it clear who disposes what.
    if (!temporaries.tensors.has(gradient)) gradient = gradient.view(gradient.shape);
    gradients.set(tensor, keep(gradient));
  }
}

function copyOf(tensor: Tensor): Tensor {
  const copy = Tensor.empty(tensor.shape, tensor.device);
  tensor.device.copy(tensor.storage, copy.storage);
  return copy;
}
