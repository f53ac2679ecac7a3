/** `npm run bench:report`: what one error, a stop or a lost device leaves of a report, and of the temporary folder. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { measureReport } from "../../bench/gpu-report/measure.ts";
import { type PartName, parts } from "../../bench/gpu-report/parts.ts";
import type { Report } from "../../bench/gpu-report/report.ts";
import type { Sizes } from "../../bench/gpu-report/sizes.ts";
import { withPictures } from "../../bench/waiting.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { gpuDevices } from "../support/devices.ts";
import { runCode } from "../support/run.ts";

const small: Partial<Sizes> = {
  picture: [40, 24],
  waiting: { pictures: 2, different: 1, steps: 3, maxSeconds: 20 },
};
vi.mock("../../bench/gpu-report/sizes.ts", () => ({ chooseSizes: () => small }));

const [device] = await gpuDevices();
const temporary = mkdtempSync(join(tmpdir(), "pixelgrad-parts-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
beforeEach(() => {
  setDefaultDevice(device);
  vi.stubEnv("TMPDIR", temporary);
  vi.spyOn(parts.ceilings, "measure").mockResolvedValue({
    ceilings: { flops: 1e12, multiplyAdd: { chains: 16, unroll: 4 }, copies: [] },
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What lies in the temporary folder, but for what tests themselves are run by. */
const left = () => readdirSync(temporary).filter((name) => name.startsWith("pixelgrad"));

/** Measures parts, and calls `on` with what is being done. */
async function measure(
  wanted: readonly PartName[],
  on: (what: string, stop: () => void) => void = () => {},
  own: GpuDevice = device,
): Promise<{ report: Report; saved: Report[]; error?: unknown }> {
  const stop = new AbortController();
  const saved: Report[] = [];
  const progress = {
    part: (what: string) => on(what, () => stop.abort()),
    save: async (report: Report) => void saved.push(report),
    signal: stop.signal,
  };
  const error = await measureReport(own, undefined, { parts: wanted }, progress).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { report: saved.at(-1)!, saved, error };
}

test("a method that fails becomes an entry; the others are measured, and saved one by one", async () => {
  const { report, saved, error } = await measure(["pictures"], (what) => {
    if (what === "a picture by espcn") throw new Error("no memory");
  });
  expect(error).toBeUndefined();
  expect(report.failures).toEqual([{ part: "a picture by espcn", message: "no memory" }]);
  const methods = report.pictures!.rows.map(({ method }) => method);
  expect(methods).toEqual(expect.arrayContaining(["srcnn", "edsr-small", "bicubic"]));
  expect(methods).not.toContain("espcn");
  const lengths = new Set(saved.map(({ pictures }) => pictures?.rows.length ?? 0));
  expect([...lengths]).toEqual(Array.from({ length: methods.length + 1 }, (_, i) => i));
});

test("stopped at the third method, it keeps two", async () => {
  let methods = 0;
  const { report } = await measure(["pictures"], (what, stop) => {
    if (what.startsWith("a picture by") && ++methods === 3) stop();
  });
  expect(report).toMatchObject({ partial: "it was stopped", failures: [] });
  expect(report.pictures!.rows).toHaveLength(2);
  expect(methods).toBe(3);
});

test("training waits for pictures in two runs, which leave no files", async () => {
  const { report } = await measure(["waiting"]);
  expect(report.failures).toEqual([]);
  expect(
    report.waiting!.runs.map(({ where, overall, later }) => [where, overall?.steps, later?.steps]),
  ).toEqual([
    ["memory", 2, 2],
    ["cache", 2, 2],
  ]);
  for (const { overall } of report.waiting!.runs) {
    expect(overall!.seconds).toBeGreaterThan(0);
    expect(overall!.waiting).toBeLessThanOrEqual(1);
  }
  expect(left()).toEqual([]);
});

test.each([
  ["while pictures are made", "making", 0],
  ["before the second run", "with --cache", 1],
])("waiting stopped %s keeps the runs before, and no files", async (_when, at, runs) => {
  const { report } = await measure(["waiting"], (what, stop) => {
    if (what.includes(at)) stop();
  });
  expect(report).toMatchObject({ partial: "it was stopped", failures: [] });
  expect(report.waiting?.runs ?? []).toHaveLength(runs);
  expect(left()).toEqual([]);
});

test("waiting needs room for its pictures", async () => {
  const waiting = { pictures: 1e9, different: 1, steps: 1, maxSeconds: 1 };
  const body = vi.fn();
  await expect(withPictures(waiting, new AbortController().signal, body)).rejects.toThrow(
    /^The pictures need 15373400.00 GB in the system's folder for temporary files, which has .* GB left\. /,
  );
  expect(body).not.toHaveBeenCalled();
  expect(left()).toEqual([]);
});

test("a process that is ended at once leaves no pictures", async () => {
  const code = `
    import { readdirSync } from "node:fs";
    import { withPictures } from "./bench/waiting.ts";
    const sizes = { pictures: 1, different: 1, steps: 1, maxSeconds: 1 };
    await withPictures(sizes, new AbortController().signal, async (folder) => {
      console.log(readdirSync(folder).join());
      process.exit(130);
    });`;
  const { stdout, code: exit, stderr } = await runCode(code, { env: { TMPDIR: temporary } });
  expect([exit, stdout.trim()], stderr).toEqual([130, "held-out,high"]);
  expect(left()).toEqual([]);
});

test("ceilings that fail are tried once", async () => {
  const ceilings = vi.spyOn(parts.ceilings, "measure").mockRejectedValue(new Error("no clock"));
  const { report } = await measure(["networks", "pictures", "ceilings"]);
  expect(ceilings).toHaveBeenCalledTimes(1);
  expect(report.failures).toEqual([{ part: parts.ceilings.what, message: "no clock" }]);
  expect(report.partial).toContain(`no ceiling, for ${parts.networks.what} and ${parts.pictures.what}`);
});

test("a device that is lost ends the report, after its one failure has been saved", async () => {
  const own = (await openDevice({ adapter: device.adapterClass })) as GpuDevice;
  setDefaultDevice(own);
  const { report, error } = await measure(
    ["pictures", "ceilings"],
    (what) => {
      if (what === "a picture by edsr-small") own.gpu.destroy();
    },
    own,
  );
  expect(error).toMatchObject({ message: expect.stringContaining("was lost") });
  expect(report.failures).toEqual([
    { part: "a picture by edsr-small", message: expect.stringContaining("was lost") },
  ]);
  expect(report.partial).toBe("it was ended before it was done");
  own.destroy();
});
