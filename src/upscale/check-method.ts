/** What a method of one's own has to be and to make, asked where it is used. */
import {
  ArgumentError,
  aFunction,
  checkArguments,
  checkProperties,
  isObject,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, reach, text, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { checkPlanesObject, type Planes } from "../picture/planes.ts";

const aMethod: Wanted = {
  wants: "a method or an upscaler, such as interpolator() makes",
  fits: (value): value is object => isObject(value) && "enlarge" in value,
};

const properties = {
  name: text,
  scale: whole(1),
  colors: oneOf("rgb", "y", "any"),
  margin: reach,
  multiple: optional(whole(1)),
  padding: optional(whole(0)),
  enlarge: aFunction,
  pixelsWithin: aFunction,
};

/** Throws a RangeError unless this is a method with all that it has to have. */
export function checkMethod(caller: string, argument: string, method: object): void {
  if (isObject(method) && "upscaler" in method) {
    throw new ArgumentError(caller, `${argument} is what openMethod() returns; pass its upscaler.`);
  }
  checkArguments(caller, { [argument]: [method, aMethod] });
  checkProperties(caller, argument, method, properties);
}

/** What of a method enlarges planes. */
interface Enlarging {
  readonly name: string;
  readonly scale: number;
  readonly enlarge: (planes: Planes, signal?: AbortSignal) => Promise<Planes>;
}

/** What a method makes of planes. @throws DataError unless it is as large as its scale says */
export async function enlargedBy(method: Enlarging, planes: Planes, signal?: AbortSignal): Promise<Planes> {
  const { name, scale } = method;
  const large = await method.enlarge(planes, signal);
  checkPlanesObject(large, `enlarge of ${name}`);
  const [got, want] = [large, { ...planes, width: planes.width * scale, height: planes.height * scale }].map(
    ({ width, height, channels }) => `${channels} x ${height} x ${width}`,
  );
  if (got === want) return large;
  throw new DataError(`made planes of ${got} and should make ${want}.`, { caller: `enlarge of ${name}` });
}
