import type { Device } from "../../src/device/device.ts";
import { interpolate, type ResizeMode } from "../../src/kernels/resize/index.ts";
import type { Image } from "../../src/picture/image.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { drawn } from "./drawn.ts";

type Target = { scaleFactor: number } | { size: readonly [number, number] };

/** A picture, resized by interpolate() with Matlab's conventions and rounded to bytes. */
export async function resized(
  image: Image,
  target: Target,
  device: Device,
  mode: ResizeMode = "bicubic",
): Promise<Image> {
  using _ = scope();
  const { width, height, channels, data } = image;
  const area = width * height;
  const planes = Float32Array.from(
    { length: data.length },
    (_, i) => data[(i % area) * channels + Math.floor(i / area)],
  );
  const x = tensor(planes, [1, channels, height, width], { device });
  const y = interpolate(x, { ...target, mode, convention: "matlab", round: true });
  const values = await y.data();
  const [, , h, w] = y.shape;
  return drawn(w, h, channels, (px, py, c) => values[(c * h + py) * w + px]);
}
