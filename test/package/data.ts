/** Writes a picture, opens its folder as training data and takes a batch, which a worker thread decodes. */
import { type Image, openFolder, PatchLoader, writePng } from "pixelgrad/data";
import { describeConditions } from "pixelgrad/evaluate";
import { presets, type TrainConfig } from "pixelgrad/train";

// The declarations of these entries compile, and their code loads.
const config: TrainConfig = presets.EDSR.quick;
if (config.steps < 1 || typeof describeConditions !== "function") throw new Error("an entry is incomplete");

const grey: Image = { width: 64, height: 48, channels: 3, data: new Uint8Array(64 * 48 * 3).fill(51) };
await writePng("pictures/grey.png", grey);
await using loader = new PatchLoader(openFolder("pictures", { scale: 2 }), { batch: 2, patch: 8, seed: 1 });
const { low, high, lowShape, highShape } = await loader.next();
const values = new Set([...low, ...high].map((value) => value.toFixed(4)));
console.log(JSON.stringify({ lowShape, highShape, values: [...values] }));
