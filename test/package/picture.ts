import { type Image, imresize, psnr } from "pixelgrad/picture";

const grey = (...data: number[]): Image => ({
  width: data.length,
  height: 1,
  channels: 1,
  data: Uint8Array.from(data),
});

/** A step from black to white at twice the size, and the PSNR of a picture that is off by 10 everywhere. */
export function measured(): { step: number[]; decibels: number } {
  const step = imresize(grey(0, 0, 0, 0, 255, 255, 255, 255), { width: 16, height: 1 });
  const decibels = psnr(grey(100, 200), grey(110, 190), { border: 0, channels: "y" });
  return { step: [...step.data], decibels };
}
