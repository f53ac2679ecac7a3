import { Adam, backward, EDSR, init, l1Loss, manualSeed, Random, rand, scope } from "pixelgrad";

/** One step of training on the adapter that init() finds: the loss before and after, and the device's name. */
export async function train(): Promise<{ losses: number[]; device: string }> {
  const device = await init();
  manualSeed(1);
  const model = new EDSR({ scale: 2, blocks: 2, channels: 8 });
  const adam = new Adam(model.parameters(), { lr: 1e-3 });
  using _step = scope();
  const random = new Random(2);
  const lr = rand([2, 3, 12, 12], random);
  const hr = rand([2, 3, 24, 24], random);
  const before = l1Loss(model.forward(lr), hr);
  adam.step(backward(before));
  const after = l1Loss(model.forward(lr), hr);
  return { losses: [await before.item(), await after.item()], device: device.name };
}
