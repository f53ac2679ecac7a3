/**
 * Trains a network on the very picture that it will enlarge. Patterns of the picture at half its size often
 * appear elsewhere in it at full size. So a small network can learn from one picture alone (Shocher, Cohen,
 * Irani, "Zero-Shot Super-Resolution using Deep Internal Learning", 2018).
 */
import {
  Adam,
  backward,
  cosineAnnealingLR,
  interpolator,
  keep,
  l1Loss,
  networkUpscaler,
  type SuperResolver,
  scope,
  type Tensor,
  tensor,
} from "../src/index.ts";
import { crop, type Image, imresize, modcrop, psnr, toRgb } from "../src/picture/index.ts";
import type { FineTuneEvent, FineTuneInput, Preview } from "./messages.ts";
import { type OwnBatch, OwnPatches } from "./own-patches.ts";

/** Previews show at most this many pixels a side, from the middle of the picture. */
const PREVIEW = 512;
/** Number of previews during training. */
const PREVIEWS = 8;
/**
 * Steps over which the learning rate rises. Adam's first steps are as long as the rate allows, in directions
 * that it has hardly measured.
 */
const WARMUP = 30;

export async function fineTune(
  model: SuperResolver,
  { image, start, steps }: FineTuneInput,
  { signal, report }: { signal: AbortSignal; report: (event: FineTuneEvent) => void },
): Promise<{ steps: number; ms: number }> {
  const began = performance.now();
  const patches = new OwnPatches(image, model);
  const cosine = cosineAnnealingLR(start === undefined ? 2e-3 : 1e-4, { tMax: steps });
  const adam = new Adam(model.parameters());
  const sample = middle(image, model.scale);
  const previewEvery = Math.ceil(steps / PREVIEWS);
  report({ step: 0, preview: await preview(model, sample) });

  let step = 0;
  while (step < steps && !signal.aborted) {
    adam.lr = cosine(step) * Math.min(1, (step + 1) / WARMUP);
    const batch = patches.next();
    const loss = learn(model, adam, batch);
    // Waiting for the loss also lets messages in, such as a request to stop.
    report({ step: ++step, relativeLoss: (await loss.item()) / batch.bicubicLoss });
    loss.dispose();
    if (step % previewEvery === 0) report({ step, preview: await preview(model, sample) });
  }
  if (step % previewEvery !== 0) report({ step, preview: await preview(model, sample) });
  adam.dispose();
  return { steps: step, ms: performance.now() - began };
}

/** One step. Returns the loss before it. */
function learn(model: SuperResolver, adam: Adam, { low, lowShape, high, highShape }: OwnBatch): Tensor {
  using _ = scope();
  const loss = l1Loss(model.forward(tensor(low, lowShape)), tensor(high, highShape));
  adam.step(backward(loss));
  return keep(loss);
}

/** The picture, or the middle of a large one, with sides that the scale divides. */
function middle(image: Image, scale: number): Image {
  const rgb = toRgb(image);
  const [width, height] = [Math.min(rgb.width, PREVIEW), Math.min(rgb.height, PREVIEW)];
  const [x, y] = [Math.floor((rgb.width - width) / 2), Math.floor((rgb.height - height) / 2)];
  return modcrop(crop(rgb, x, y, width, height), scale);
}

async function preview(model: SuperResolver, original: Image): Promise<Preview> {
  const { scale } = model;
  const small = imresize(original, { width: original.width / scale, height: original.height / scale });
  const bicubic = await interpolator("bicubic", scale).upscale(small);
  const network = await networkUpscaler(model).upscale(small);
  const decibels = (image: Image) => psnr(image, original, { border: scale, channels: "y" });
  return { bicubic, network, bicubicPsnr: decibels(bicubic), networkPsnr: decibels(network) };
}
