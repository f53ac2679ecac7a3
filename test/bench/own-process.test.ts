/** Benches in processes of their own. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/support.ts";
import { gpuDevices } from "../support/devices.ts";
import { runFile } from "../support/run.ts";

const [device] = await gpuDevices();

test("edsr-start that is stopped ends its process, and leaves no folder", { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  let stop: ((name: NodeJS.Signals) => void) | undefined;
  const made = () => readdirSync(folder).filter((name) => name.startsWith("pixelgrad-bench"));
  const args = ["edsr-start", "--quick", "--adapter", device.adapterClass];
  const running = runFile("bench/run.ts", args, {
    env: { TMPDIR: folder },
    onOutput(_, signal) {
      stop = signal;
    },
  });
  await expect.poll(made, { timeout: 60_000 }).toHaveLength(1);
  stop!("SIGINT");
  expect(await running).toMatchObject({ code: 130, stderr: "Stopped." });
  expect(made()).toEqual([]);
});
