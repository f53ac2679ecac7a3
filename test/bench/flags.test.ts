/** Benches and the long tests explain their flags, and refuse others in a sentence. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, runFile } from "../support/run.ts";

describe.each([
  ["bench:recording", "bench/recording.ts"],
  ["bench:loader", "bench/loader.ts"],
  ["bench:javascript", "bench/upscale-javascript.ts"],
  ["test:soak", "scripts/soak/run.ts"],
])("%s", (name, file) => {
  // Without Dawn: a device that is opened on the way fails.
  const run = (...flags: string[]) =>
    runFile(join(root, file), flags, { env: { NODE_OPTIONS: "--no-addons" } });

  test("explains its flags", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^npm run ${name} -- .*\\[flags\\]`));
  });

  test("refuses others", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("--stps", "3");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trim()).toMatch(new RegExp(`^npm run ${name}: Unknown option '--stps'\\. .*$`));
  });
});

test.each([
  [["edsr-start", "--steps", "9"], "--steps is for edsr-memory, which is not measured here"],
  [
    ["edsr-start", "--runs", "9"],
    "--runs is for kernels and networks that are timed in runs, and edsr-start is none",
  ],
  [
    ["edsr-memory", "--plot", "p"],
    "--plot is for kernels and networks that are timed in runs, and edsr-memory is none",
  ],
  [["--stps", "9"], "Unknown option '--stps'"],
  [["nonesuch"], 'there is no "nonesuch". Choose one of these, or their first words: conv2d'],
  [["conv2d", "nonesuch"], 'conv2d has no variant "nonesuch". Its variants: '],
])("bench refuses %j", { timeout: 60_000 }, async (args, message) => {
  const { code, stdout, stderr } = await runFile(join(root, "bench/run.ts"), args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
});

test("test:soak lists its modules, and refuses others", { timeout: 60_000 }, async () => {
  const soak = (...flags: string[]) => runFile(join(root, "scripts/soak/run.ts"), flags);
  const list = await soak("--list");
  expect(list.stdout).toMatch(/^as-typed: .*\nfull-disk: .*tries\)\n/);
  const unknown = await soak("nonsense");
  expect(unknown).toMatchObject({ code: 2, stdout: "" });
  expect(unknown.stderr).toMatch(/^npm run test:soak: .*open-device, got "nonsense"\. .*$/);
});
