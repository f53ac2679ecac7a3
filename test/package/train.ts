import { Adam, backward, EDSR, init, l1Loss, manualSeed, Random, rand, scope, upscale } from "pixelgrad";

/**
 * On the adapter that init() finds: the mean sample of a ramp that the package's network has enlarged, and
 * the loss before and after one training step.
 */
export async function train(): Promise<{ losses: number[]; device: string; method: string; mean: number }> {
  const device = await init();
  const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 85) / 256);
  const { image, method } = await upscale({ width: 16, height: 16, channels: 3, data });
  const mean = image.data.reduce((sum, value) => sum + value, 0) / image.data.length;
  manualSeed(1);
  const model = new EDSR({ scale: 2, blocks: 2, channels: 8 });
  const adam = new Adam(model.parameters(), { lr: 1e-3 });
  using _step = scope();
  const random = new Random(2);
  const low = rand([2, 3, 12, 12], random);
  const high = rand([2, 3, 24, 24], random);
  const before = l1Loss(model.forward(low), high);
  adam.step(backward(before));
  const after = l1Loss(model.forward(low), high);
  return { losses: [await before.item(), await after.item()], device: device.name, method, mean };
}
