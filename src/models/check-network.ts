/** What a network of one's own has to be and to make, asked where it is used: what it lacks would show as garbage. */
import { ArgumentError, checkArguments, checkProperties, instanceOf } from "../options/arguments.ts";
import { oneOf, positive, quote, reach, whole } from "../options/kinds.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../tensor/shape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";
import { SuperResolver, type TwoStages } from "./super-resolver.ts";

const aNetwork = instanceOf(
  SuperResolver,
  "a network that extends SuperResolver, as those of loadModel() do",
);

const properties = {
  scale: whole(1),
  colors: oneOf("rgb", "y"),
  inputSize: oneOf("low", "high"),
  halo: reach,
  multiple: whole(1),
  valuesPerPixel: positive,
};

/** Throws a RangeError unless this is a network, and says of itself what tiles and colours depend on. */
export function checkNetwork(caller: string, argument: string, model: SuperResolver): void {
  checkArguments(caller, { [argument]: [model, aNetwork] });
  checkProperties(caller, model.constructor.name, model, properties);
}

/** What the network makes of x. @throws RangeError or ShapeError unless it is as large as `scale` says */
export function forwardOf(model: SuperResolver, x: Tensor): Tensor {
  return checkResult(`forward of ${model.constructor.name}`, x, model.forward(x), largeShape(model, x));
}

/** The first of its two stages. */
export function featuresOf(model: SuperResolver, stages: TwoStages, x: Tensor): Tensor {
  const y = stages.features(x);
  const [n, , h, w] = x.shape;
  return checkResult(`features of ${model.constructor.name}`, x, y, [n, y?.shape?.[1], h, w]);
}

/** The second. */
export function reconstructionOf(model: SuperResolver, stages: TwoStages, x: Tensor): Tensor {
  const y = stages.reconstruct(x);
  return checkResult(`reconstruct of ${model.constructor.name}`, x, y, largeShape(model, x));
}

function largeShape({ inputSize, scale, planes }: SuperResolver, { shape: [n, , h, w] }: Tensor): Shape {
  const s = inputSize === "high" ? 1 : scale;
  return [n, planes, h * s, w * s];
}

/** @throws RangeError or ShapeError unless `caller` made a tensor of this shape of x */
function checkResult(caller: string, x: Tensor, y: unknown, shape: Shape): Tensor {
  if (!aTensor.fits(y)) throw new ArgumentError(caller, `must return a tensor, got ${quote(y)}.`);
  if (sameShape(y.shape, shape)) return y;
  throw new ShapeError(
    `${caller}: made ${formatShape(y.shape)} of ${formatShape(x.shape)} and should make ` +
      `${formatShape(shape)}: look at scale, PixelShuffle and the padding of the convolutions.`,
  );
}
