/** How much work a network is, from the operations of its forward pass. */
import { zeros } from "../tensor/create.ts";
import { noGrad } from "../tensor/no-grad.ts";
import { type RecordedOp, recordOps } from "../tensor/record-ops.ts";
import { outsideScopes, scope } from "../tensor/scope.ts";
import { checkNetwork, forwardOf } from "./check-network.ts";
import { placeOf, type SuperResolver } from "./super-resolver.ts";

/** Side of the picture that is looked at; a multiple of what networks divide pictures by. */
const SIDE = 32;

/** Multiplications, each with its addition, of all convolutions, for each pixel of the network's input. */
export function multiplyAddsPerPixel(model: SuperResolver): number {
  checkNetwork("multiplyAddsPerPixel", "the first argument", model);
  const { device } = placeOf(model);
  const ops = outsideScopes(() => {
    using _noGrad = noGrad();
    using _scope = scope();
    const x = zeros([1, model.planes, SIDE, SIDE], { device });
    return recordOps(() => void forwardOf(model, x));
  });
  return ops.reduce((sum, op) => sum + multiplyAdds(op), 0) / SIDE ** 2;
}

function multiplyAdds({ name, inputs, y }: RecordedOp): number {
  const { x, w } = inputs;
  // A weight [o, c, kh, kw] meets each pixel of the result once for each of its o channels; a transposed one,
  // [c, o, kh, kw], each pixel of the input.
  if (name === "conv2d") return (y.size / w.shape[0]) * w.size;
  if (name === "denseConv2d") {
    const weights = Object.entries(inputs).filter(([key]) => key.startsWith("w "));
    const pixels = x.size / x.shape[1];
    return weights.reduce((sum, [, weight]) => sum + pixels * weight.size, 0);
  }
  if (name === "convTranspose2d") return (x.size / w.shape[0]) * w.size;
  return 0;
}
