import type * as Library from "pixelgrad";

/** What a runtime makes of the library. All runtimes have to answer the same, bit for bit. */
export interface Answer {
  loss: number;
  gradient: readonly number[];
  /** Samples of the picture that a network has enlarged, in hexadecimal. */
  picture: string;
  method: string;
  device: string;
}

/** Differentiates a loss whose gradient can be done by hand, and enlarges a small picture, on the adapter of init(). */
export async function use(pixelgrad: typeof Library): Promise<Answer> {
  const { backward, init, matmul, mul, scope, sum, tensor, upscale } = pixelgrad;
  const device = await init();
  try {
    using _all = scope();
    // loss = sum((x w)²), so its gradient in w is 2 xᵀ (x w): whole numbers, exact on every adapter.
    const x = tensor([1, 2, 3, 4], [2, 2]);
    const w = tensor([1, -1], [2, 1], { requiresGrad: true });
    const y = matmul(x, w);
    const loss = sum(mul(y, y));
    const gradient = backward(loss).get(w)!;
    const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * i * 7) & 0xff);
    const { image, method } = await upscale({ width: 8, height: 8, channels: 3, data }, { scale: 2 });
    const picture = Array.from(image.data, (sample) => sample.toString(16).padStart(2, "0")).join("");
    const values = Array.from(await gradient.data());
    return { loss: await loss.item(), gradient: values, picture, method, device: device.name };
  } finally {
    device.destroy();
  }
}
