/** What a network of one's own has to be and to make, asked where it is used: what it lacks would show as garbage. */
import { ArgumentError, checkArguments, checkProperties, instanceOf } from "../options/arguments.ts";
import { oneOf, positive, quote, whole } from "../options/kinds.ts";
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
  halo: whole(0),
  multiple: whole(1),
  valuesPerPixel: positive,
};

/** Throws a RangeError unless this is a network, and says of itself what tiles and colours depend on. */
export function checkNetwork(caller: string, argument: string, model: SuperResolver): void {
  checkArguments(caller, { [argument]: [model, aNetwork] });
  checkProperties(caller, model.constructor.name, model, properties);
}

/** What the network makes of x. Throws in the name of `caller` unless it is as large as `scale` says. */
export function forwardOf(caller: string, model: SuperResolver, x: Tensor): Tensor {
  return made(caller, `forward of ${model.constructor.name}`, x, model.forward(x), largeShape(model, x));
}

/** The first of its two stages. */
export function featuresOf(caller: string, model: SuperResolver, stages: TwoStages, x: Tensor): Tensor {
  const y = stages.features(x);
  const [n, , h, w] = x.shape;
  return made(caller, `features of ${model.constructor.name}`, x, y, [n, y?.shape?.[1], h, w]);
}

/** The second. */
export function reconstructionOf(caller: string, model: SuperResolver, stages: TwoStages, x: Tensor): Tensor {
  const y = stages.reconstruct(x);
  return made(caller, `reconstruct of ${model.constructor.name}`, x, y, largeShape(model, x));
}

function largeShape({ inputSize, scale, planes }: SuperResolver, { shape: [n, , h, w] }: Tensor): Shape {
  const s = inputSize === "high" ? 1 : scale;
  return [n, planes, h * s, w * s];
}

/** @throws RangeError or ShapeError unless `what` made a tensor of this shape of x */
function made(caller: string, what: string, x: Tensor, y: unknown, shape: Shape): Tensor {
  if (!aTensor.fits(y)) throw new ArgumentError(caller, `${what} must return a tensor, got ${quote(y)}.`);
  if (sameShape(y.shape, shape)) return y;
  throw new ShapeError(
    `${caller}: ${what} made ${formatShape(y.shape)} of ${formatShape(x.shape)} and should make ` +
      `${formatShape(shape)}: look at scale, PixelShuffle and the padding of the convolutions.`,
  );
}
