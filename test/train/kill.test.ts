/** `kill -9` at random moments; scripts/soak/kill-training.ts does more of it. */
import { expect, test } from "vitest";
import { gpuDevices, logicDevices } from "../support/devices.ts";
import { killAndResume } from "../support/kill-resume.ts";

const adapters = logicDevices(await gpuDevices()).map(({ adapterClass }) => adapterClass);

test.each(adapters)(
  "on %s a run that is killed twice and resumed ends with the same weights, to the last bit",
  async (adapter) => {
    const seed = Date.now();
    console.log(`${adapter}: seed ${seed}`);
    const at = await killAndResume({ adapter, kills: 2, steps: 60, seed });
    console.log(`${adapter}: killed at steps ${at.join(" and ")}`);
    expect(at).toHaveLength(2);
  },
  240_000,
);
