/** Types of what browsers alone have. Nothing here runs. */
import { type FinishedTile, type PictureSource, toImageData, upscale } from "pixelgrad";
import { UpscaleWorker } from "pixelgrad/worker";

export async function enlarge(signal: AbortSignal): Promise<ImageData[]> {
  const canvas = document.createElement("canvas");
  const sources: PictureSource[] = [
    canvas,
    new Image(),
    document.createElement("video"),
    new OffscreenCanvas(1, 1),
    new VideoFrame(canvas, { timestamp: 0 }),
    await createImageBitmap(canvas),
    new Blob(),
    new ArrayBuffer(8),
    new ImageData(1, 1),
    "photo.png",
  ];
  using worker = new UpscaleWorker({ onDeviceLost: ({ name, message }) => console.warn(name, message) });
  const { name } = await worker.init();
  const tiles: FinishedTile[] = [];
  const onTile = (tile: FinishedTile) => void tiles.push(tile);
  const options = { scale: 2, signal, onTile, method: name === "cpu" ? "bicubic" : "espcn" };
  const results = await Promise.all(sources.map((source) => worker.upscale(source, options)));
  const deep: Uint16Array = (await worker.upscale(canvas, { depth: 16, transfer: true })).image.data;
  // @ts-expect-error What is no picture is an error of the compiler, too.
  await upscale(deep.length);
  return results.map(({ image }) => toImageData(image));
}
