/**
 * Trains a network on the very picture it will enlarge. What the picture shows at half the size, it often shows at full
 * size too, elsewhere: so a small network can learn from one picture alone (Shocher, Cohen, Irani, "Zero-Shot
 * Super-Resolution using Deep Internal Learning", 2018).
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
} from "../../src/index.ts";
import { crop, type Image, imresize, modcrop, psnr, toRgb } from "../../src/picture/index.ts";
import type { FineTuneEvent, FineTuneInput, Preview } from "./messages.ts";
import { type OwnBatch, OwnPatches } from "./own-patches.ts";

/** Previews show at most this many pixels a side, from the middle of the picture. */
const PREVIEW = 512;
/** In the course of a training. */
const PREVIEWS = 8;
/** Steps in which the learning rate rises: Adam's first steps are as long as the rate allows, in directions it hardly knows. */
const WARMUP = 30;

export async function fineTune(
  model: SuperResolver,
  { image, start, steps }: FineTuneInput,
  { signal, tell }: { signal: AbortSignal; tell: (event: FineTuneEvent) => void },
): Promise<{ steps: number; ms: number }> {
  const began = performance.now();
  const patches = new OwnPatches(image, model);
  const cosine = cosineAnnealingLR(start === undefined ? 2e-3 : 1e-4, { tMax: steps });
  const adam = new Adam(model.parameters());
  const shown = middle(image, model.scale);
  const previewEvery = Math.ceil(steps / PREVIEWS);
  tell({ step: 0, preview: await preview(model, shown) });

  let step = 0;
  while (step < steps && !signal.aborted) {
    adam.lr = cosine(step) * Math.min(1, (step + 1) / WARMUP);
    const batch = patches.next();
    const loss = learn(model, adam, batch);
    // Waiting for the loss also lets messages in, such as the wish to stop.
    tell({ step: ++step, relativeLoss: (await loss.item()) / batch.bicubicLoss });
    loss.dispose();
    if (step % previewEvery === 0) tell({ step, preview: await preview(model, shown) });
  }
  if (step % previewEvery !== 0) tell({ step, preview: await preview(model, shown) });
  adam.dispose();
  return { steps: step, ms: performance.now() - began };
}

/** One step. The loss returned is that before it. */
function learn(model: SuperResolver, adam: Adam, { low, lowShape, high, highShape }: OwnBatch): Tensor {
  using _ = scope();
  const loss = l1Loss(model.forward(tensor(low, lowShape)), tensor(high, highShape));
  adam.step(backward(loss));
  return keep(loss);
}

/** The picture, or its middle if it is large, with sides that the scale divides. */
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
