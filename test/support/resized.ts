import type { Device } from "../../src/device/device.ts";
import { type MatlabResizeOptions, matlabResize } from "../../src/kernels/imresize/index.ts";
import type { Image } from "../../src/picture/image.ts";
import { scope } from "../../src/tensor/scope.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { drawn } from "./drawn.ts";

/** The result of matlabResize for a picture, as a picture. */
export async function resized(image: Image, options: MatlabResizeOptions, device: Device): Promise<Image> {
  using _ = scope();
  const { width, height, channels, data } = image;
  const area = width * height;
  const planes = Float32Array.from(
    { length: data.length },
    (_, i) => data[(i % area) * channels + Math.floor(i / area)],
  );
  const y = matlabResize(tensor(planes, [1, channels, height, width], { device }), options);
  const values = await y.data();
  const [, , h, w] = y.shape;
  return drawn(w, h, channels, (px, py, c) => values[(c * h + py) * w + px]);
}
