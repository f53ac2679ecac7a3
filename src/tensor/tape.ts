/**
 * Reverse-mode automatic differentiation. Every operation on tensors that need a gradient leaves a note on
 * its result (`tensor.node`): which operation, which inputs. `backward` follows the notes from a loss back to
 * the parameters. On the way, each operation's rule turns the gradient with respect to its output into
 * gradients with respect to its inputs. That is the whole of backpropagation. (The notes together are called
 * a tape, which is played backwards.)
 *
 * A note holds the operation's inputs and outputs, which its rule may read. Their memory is freed when their
 * scope ends, not before: `backward` has to run within it.
 */
import { checkArguments, optional, type Wanted } from "../options/arguments.ts";
import { accumulate } from "./accumulate.ts";
import { noGrad, whyNoGradients } from "./no-grad.ts";
import { keep, scope } from "./scope.ts";
import { formatShape, ShapeError, sameShape } from "./shape.ts";
import { aTensor, type TapeNode, Tensor } from "./tensor.ts";

/** Tensors, and the loss's gradient with respect to each. */
export type Gradients = Map<Tensor, Tensor>;

const tensors: Wanted<Iterable<Tensor>> = {
  wants: "a list of tensors",
  fits: (value): value is Iterable<Tensor> =>
    (Array.isArray(value) || value instanceof Set) && [...value].every(aTensor.fits),
};

/**
 * The gradients of `loss` (one element) with respect to `wanted`: by default every tensor with `requiresGrad`
 * that the loss depends on. Only what leads to a wanted tensor is computed. Nothing is stored on the tensors,
 * so there is nothing to reset before the next step. The gradients belong to the innermost open scope, and each has
 * memory of its own. Intermediate results have one only if `wanted` names them: `backward(loss, [h,
 * ...model.parameters()])`.
 *
 * Throws if no tensor is wanted or one does not influence the loss, if an operation on the way has no
 * gradient rule, or if a tensor on the way has been overwritten or disposed since. (PyTorch goes on where no rule reads
 * the old values, as after `add`. Here rules do not tell what they read.)
 */
export function backward(loss: Tensor, wanted?: Iterable<Tensor>): Gradients {
  checkArguments("backward", { "the loss": [loss, aTensor], wanted: [wanted, optional(tensors)] });
  if (loss.size !== 1) {
    throw new ShapeError(
      `backward: the loss must have one element, got shape ${formatShape(loss.shape)}. Reduce it with ` +
        `mean() or sum().`,
    );
  }
  const order = dependencies(loss);
  const targets = new Set(wanted ?? order.filter((tensor) => tensor.requiresGrad));
  if (targets.size === 0) {
    throw new Error(
      `backward: the loss depends on no tensor whose gradient is wanted. Set requiresGrad on parameters ` +
        `before using them, and do not compute the loss under noGrad(). What backward() returned, and comparisons ` +
        `and argmax, are constants: there are no gradients of gradients.${whyNoGradients()}`,
    );
  }
  const reached = new Set(order);
  for (const target of targets) {
    if (!reached.has(target)) {
      throw new Error(
        `backward: the loss does not depend on the tensor of shape ${formatShape(target.shape)} whose ` +
          `gradient is wanted. Set requiresGrad before using it, and do not compute the loss under ` +
          `noGrad().${whyNoGradients()}`,
      );
    }
  }
  // In order of creation, the inputs of an operation come before its result.
  const needed = new Set<Tensor>();
  for (const tensor of order) {
    if (targets.has(tensor) || tensor.node?.inputs.some((input) => needed.has(input.tensor)))
      needed.add(tensor);
  }

  using _ = noGrad();
  const gradients: Gradients = new Map();
  const seed = Tensor.empty(loss.shape, loss.device);
  seed.device.writeConstant(seed.storage, [1]); // the loss's gradient with respect to itself
  gradients.set(loss, seed);
  const done = new Set<TapeNode>();
  for (const tensor of order.reverse()) {
    const dy = gradients.get(tensor);
    if (!dy) continue;
    const { node } = tensor;
    // Whatever used one of an operation's outputs was made after all of them, so their gradients are complete
    // when the turn of the first comes.
    if (node && needed.has(tensor) && !done.has(node)) {
      propagate(node, needed, gradients);
      done.add(node);
    }
    if (!targets.has(tensor)) {
      gradients.delete(tensor);
      dy.dispose();
    }
  }
  separate(gradients);
  return gradients;
}

/**
 * The loss and every tensor that it was computed from, in order of creation. In reverse order, all tensors
 * computed from a tensor come before it, so its gradient is complete when its turn comes.
 */
function dependencies(loss: Tensor): Tensor[] {
  const tensors = new Set([loss]);
  for (const tensor of tensors) {
    // A loop over a Set also visits what is added on the way.
    for (const input of tensor.node?.inputs ?? []) tensors.add(input.tensor);
    if (tensor.disposed && (tensor.node || tensor.requiresGrad)) {
      const maker = tensor.node ? `, made by ${tensor.node.name},` : "";
      throw new Error(
        `backward: a tensor of shape ${formatShape(tensor.shape)}${maker} has been disposed, so no ` +
          `gradient can flow through it. Call backward before its scope ends.`,
      );
    }
  }
  return [...tensors].sort((a, b) => a.id - b.id);
}

/** Turns the gradients of one operation's outputs into gradients of its inputs. */
function propagate(node: TapeNode, needed: ReadonlySet<Tensor>, gradients: Gradients): void {
  // Check all inputs, since the rule for one may read the values of the others.
  const values = [
    ...node.inputs.map((input) => ({ ...input, what: `input ${input.name}` })),
    ...node.outputs.map((output) => ({ ...output, what: "the result" })),
  ];
  for (const { tensor, version, what } of values) {
    if (!tensor.disposed && tensor.storage.version !== version) {
      throw new Error(
        `backward: ${what} of ${node.name} (shape ${formatShape(tensor.shape)}) has been overwritten ` +
          `since, and the gradient rule of ${node.name} may read the old values. Call backward before step() or ` +
          "assign().",
      );
    }
  }
  using temporaries = scope(); // disposes the rule's own temporaries
  const thunks = node.backward?.(...node.outputs.map(({ tensor }) => gradients.get(tensor)));
  for (const { name, tensor } of node.inputs) {
    if (!needed.has(tensor)) continue;
    const thunk = thunks?.[name];
    if (!thunk) throw new Error(`backward: ${node.name} has no gradient rule for its input ${name}.`);
    const others = gradients.get(tensor);
    if (thunk instanceof Tensor) {
      throw new Error(
        `backward: the rule of ${node.name} gives a tensor for ${name} and should give a function that computes ` +
          `it, which is called if that gradient is needed: { ${name}: () => … }.`,
      );
    }
    const ruleAdds = typeof thunk === "object";
    const gradient = ruleAdds ? thunk.plus(others) : thunk();
    if (!aTensor.fits(gradient)) {
      checkArguments(`backward: the rule of ${node.name}`, {
        [`its gradient of ${name}`]: [gradient, aTensor],
      });
    }
    if (!sameShape(gradient.shape, tensor.shape)) {
      throw new ShapeError(
        `backward: the rule of ${node.name} gave a gradient of shape ${formatShape(gradient.shape)} for ` +
          `its input ${name} of shape ${formatShape(tensor.shape)}.`,
      );
    }
    addUp(gradients, tensor, { gradient, isNew: temporaries.tensors.has(gradient), isSum: ruleAdds });
  }
}

interface Term {
  readonly gradient: Tensor;
  /** The rule made it, and did not return a tensor that was there before. */
  readonly isNew: boolean;
  /** It contains the gradients from the tensor's other uses already. */
  readonly isSum: boolean;
}

/** Adds the gradient from one use of a tensor to those from the uses whose turn came before. */
function addUp(gradients: Gradients, tensor: Tensor, { gradient, isNew, isSum }: Term): void {
  const others = gradients.get(tensor);
  if (!others || isSum) {
    others?.dispose();
    gradients.set(tensor, keep(isNew ? gradient : viewOf(gradient)));
  } else if (isShared(others)) {
    gradients.set(tensor, keep(sumOf(others, gradient)));
    others.dispose();
  } else {
    accumulate(others, gradient);
  }
}

/** The rule of addition returns dy for both inputs. Each gets its own view of it, so that each can be disposed. */
function viewOf(gradient: Tensor): Tensor {
  return gradient.alias(gradient.shape);
}

/** Is it such a view, with memory that another tensor's gradient needs as it is? */
function isShared({ storage }: Tensor): boolean {
  return storage.refs > 1;
}

/** A sum with memory of its own. */
function sumOf(a: Tensor, b: Tensor): Tensor {
  const sum = copyOf(a);
  accumulate(sum, b);
  return sum;
}

/** Copies those that share memory, so that a caller may change one alone. Of each group the last stays as it is. */
function separate(gradients: Gradients): void {
  for (const [tensor, gradient] of gradients) {
    if (!isShared(gradient)) continue;
    gradients.set(tensor, copyOf(gradient));
    gradient.dispose();
  }
}

function copyOf(x: Tensor): Tensor {
  const copy = Tensor.empty(x.shape, x.device);
  x.device.copy(x.storage, copy.storage);
  return copy;
}
