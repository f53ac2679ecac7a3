/**
 * Times the networks that come with the library with float32 and with float16 in memory, in turns:
 * `npm run bench:half -- --help`.
 */
import { defineCommand } from "../src/cli/flags.ts";
import { adapterFlag } from "../src/cli/method-flags.ts";
import { print } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { writeWhole } from "../src/data/index.ts";
import { summarize } from "../src/measure/statistics.ts";
import {
  init,
  keep,
  loadPretrained,
  noGrad,
  type SuperResolver,
  scope,
  type Tensor,
  zeros,
} from "../src/node.ts";
import { file, whole } from "../src/options/kinds.ts";
import { pretrainedNames } from "../src/upscale/method-names.ts";
import { runsInTurns } from "./timing.ts";

const timing = { runs: 9, minRunMs: 50 };
const dtypes = ["float32", "float16"] as const;

const half = defineCommand({
  about: `
Times the forward pass of each network that comes with pixelgrad, x2, with float32 in memory and
with float16, in turns. Beside the times stand the most bytes that were in use on the device.`,
  flags: {
    adapter: adapterFlag,
    side: { kind: whole(1), help: "width and height of the network's input [128]" },
    json: { kind: file, help: "writes the figures there" },
  },
  examples: [["--adapter gpu", "on a graphics card"]],
  async run({ adapter, side = 128, json }) {
    const device = await init({ adapter });
    const rows = [];
    for (const name of pretrainedNames) {
      const models = [await loadPretrained(name), (await loadPretrained(name)).half()];
      const inputs = dtypes.map((dtype) => zeros([1, models[0].planes, side, side], { dtype }));
      const programs = models.map((model, i) => ({ run: () => forward(model, inputs[i]) }));
      const bytes: number[] = [];
      for (const { run } of programs) {
        const before = device.memory().liveBytes;
        device.resetPeak();
        run().dispose();
        bytes.push(device.memory().peakBytes - before);
      }
      const times = await runsInTurns(programs, device, timing);
      const [full, inHalf] = times.map((each) => summarize(each).median);
      // Of neighbours in time, so that a slow minute of the machine counts on both sides.
      const faster = summarize(times[0].map((ms, round) => ms / times[1][round])).median;
      print(
        `${name.padEnd(12)}float32 ${full.toFixed(2)} ms, float16 ${inHalf.toFixed(2)} ms: ` +
          `${faster.toFixed(2)} times as fast, ${((100 * bytes[1]) / bytes[0]).toFixed(0)} % of the bytes`,
      );
      rows.push({ name, ms: [full, inHalf], faster, bytes });
      for (const each of [...models, ...inputs]) each.dispose();
    }
    if (json)
      await writeWhole(json, JSON.stringify({ adapter: device.name, side, dtypes, rows }, undefined, 1));
  },
});

function forward(model: SuperResolver, x: Tensor): Tensor {
  using _noGrad = noGrad();
  using _scope = scope();
  return keep(model.forward(x));
}

process.exitCode = await run("npm run bench:half --", half, process.argv.slice(2));
