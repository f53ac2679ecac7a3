import type { Size } from "../picture/image.ts";
import { aTargetSize, scaleFor, type TargetSize } from "../picture/target-size.ts";
import { enlargementsByDefault, isMethodName, scalesOf } from "./method-names.ts";

interface Wish {
  readonly method?: unknown;
  readonly scale?: number;
  readonly size?: TargetSize;
  /** These are for networks. */
  readonly ensemble?: boolean;
  readonly half?: boolean;
  readonly adapter?: unknown;
}

/**
 * The scale for a picture: the one that was asked for, or the smallest of the method's that reaches the size. If
 * none does, the largest, which will be said to be too small. Undefined where neither was asked for, or where the
 * method is a weight file, which has one scale.
 */
export function scaleForSize(picture: Size, wish: Wish): number | undefined {
  const { method, scale, size } = wish;
  if (scale !== undefined || !aTargetSize.fits(size)) return scale;
  if (method !== undefined && !isMethodName(method)) return undefined;
  const scales = method === undefined ? scalesByDefault(wish) : scalesOf(method);
  return scaleFor(picture, size, scales) ?? Math.max(...scales);
}

/** Where no network enlarges so far, interpolation does. */
function scalesByDefault({ ensemble, half, adapter }: Wish): readonly number[] {
  if (ensemble || half || adapter !== undefined) return enlargementsByDefault();
  return scalesOf("bicubic").filter((scale) => scale > 1);
}
