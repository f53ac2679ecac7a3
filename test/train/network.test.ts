import { describe, expect, it } from "vitest";
import type { Pair } from "../../src/data/index.ts";
import { init, Random } from "../../src/node.ts";
import type { NetworkConfig } from "../../src/train/config.ts";
import { buildNetwork } from "../../src/train/network.ts";

await init({ adapter: "cpu" });

/** A plane of random walks along its rows: `step` decides how smooth it is. */
function picture(step: number, side = 60): Pair {
  const random = new Random(3);
  const [width, height] = [side, side];
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const left = i % width === 0 ? 128 : data[i - 1];
    data[i] = Math.min(255, Math.max(0, left + step * random.normal()));
  }
  const lr = { width, height, channels: 1 as const, data };
  return { name: "walk", lr, hr: lr };
}

const networks: [NetworkConfig, first: string][] = [
  [
    {
      architecture: "SRCNN",
      scale: 2,
      kernels: [5, 1, 3],
      filters: [16, 4],
      padding: "replicate",
      residual: true,
    },
    "conv1.weight",
  ],
  [
    { architecture: "ESPCN", scale: 2, filters: [16, 4], activation: "relu", residual: true },
    "first_part.0.weight",
  ],
];

describe.each(networks)("buildNetwork: $architecture", (config, first) => {
  const weightsOf = async (residual: boolean, pictures: Pair[]) => {
    const model = buildNetwork({ ...config, residual } as NetworkConfig, new Random(0), pictures);
    return (await model.stateDict()).get(first)!.data;
  };
  const size = (values: Float32Array) => Math.hypot(...values) / Math.sqrt(values.length);

  it("fits the first filters to the pictures if the network predicts what has to be added", async () => {
    // What is smoother has fainter patterns, and they are amplified by more.
    const [smooth, rough] = await Promise.all([2, 20].map((step) => weightsOf(true, [picture(step)])));
    expect(size(smooth)).toBeGreaterThan(2 * size(rough));
  });

  it("passes over pictures that are smaller than its window", async () => {
    const [large, small] = [picture(2), picture(2, 4)];
    expect(await weightsOf(true, [large, small])).toEqual(await weightsOf(true, [large]));
    expect(await weightsOf(true, [small])).toEqual(await weightsOf(false, []));
  });

  it("and else does not look at them", async () => {
    const [smooth, rough] = await Promise.all([2, 20].map((step) => weightsOf(false, [picture(step)])));
    expect(smooth).toEqual(rough);
  });
});
