/** The codes of docs/errors-and-versions.md, which programs tell errors without a class of their own apart by. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { init, loadPretrained, openDevice, openMethod, upscale } from "../../src/node.ts";
import { ArgumentError } from "../../src/options/arguments.ts";
import { DataError, textOf } from "../../src/picture/errors.ts";
import * as reader from "../../src/upscale/file-reader.ts";
import { packError, unpackError } from "../../src/worker/errors.ts";
import { root } from "../support/run.ts";

vi.mock("../../src/upscale/file-reader.ts", { spy: true });
afterAll(() => vi.restoreAllMocks());

const codeOf = async (work: Promise<unknown>) => work.then(String, ({ code }: { code?: string }) => code);

test("NO_ADAPTER", async () => {
  expect(await codeOf(init({ adapter: "no such adapter" }))).toBe("NO_ADAPTER");
  expect(await codeOf(openDevice({ adapter: "no such adapter" }))).toBe("NO_ADAPTER");
  vi.stubEnv("PIXELGRAD_ADAPTER", "no such adapter");
  const error = await openMethod({ method: "wren" }).catch((reason: Error) => reason);
  vi.unstubAllEnvs();
  expect(error).toMatchObject({ name: "Error", code: "NO_ADAPTER" });
  expect((error as Error).message).toMatch(/^wren is a network and runs on WebGPU: No WebGPU adapter fits /);
});

test("TOO_LITTLE_MEMORY", async () => {
  const picture = { width: 8, height: 8, channels: 3, data: new Uint8Array(192) } as const;
  await init({ adapter: "cpu" });
  expect(await codeOf(upscale(picture, { method: "espcn", maxMemory: 10 }))).toBe("TOO_LITTLE_MEMORY");
});

test("WEIGHTS_UNREADABLE", async () => {
  vi.mocked(reader.readFile).mockRejectedValue(new Error("404 Not Found"));
  const error = await loadPretrained("wren").catch((reason: Error) => reason);
  expect(error).toMatchObject({ name: "Error", code: "WEIGHTS_UNREADABLE" });
  expect((error as Error).message).toMatch(
    /^loadPretrained: the weights of wren x2 cannot be read: file:.*wren-x2\.safetensors: 404 Not Found\. /,
  );
  await init({ adapter: "cpu" });
  const opened = await openMethod({ method: "wren" }).catch((reason: Error) => reason);
  expect(opened).toMatchObject({ code: "WEIGHTS_UNREADABLE" });
  expect((opened as Error).message).toMatch(/^openMethod: the weights of wren x2 cannot be read: file:/);
});

test("they survive the way from a worker; errors without one get none", () => {
  const error = Object.assign(new Error("none"), { code: "NO_ADAPTER" });
  expect(unpackError(structuredClone(packError(error)))).toMatchObject({
    message: "none",
    code: "NO_ADAPTER",
  });
  expect("code" in unpackError(structuredClone(packError(new RangeError("no"))))).toBe(false);
});

test("on that way errors keep their class, and whom they call the caller", () => {
  for (const error of [
    new ArgumentError("upscale", "scale must be 2, got 5."),
    new DataError("a.png is no picture."),
    new DataError("there is no picture.", { caller: "upscale" }),
    new RangeError("no"),
  ]) {
    const again = unpackError(structuredClone(packError(error)));
    expect(again.constructor).toBe(error.constructor);
    expect([again.name, again.message, textOf(again)]).toEqual([error.name, error.message, textOf(error)]);
  }
});

test("all codes of the library are in the table, and no others", () => {
  const table = readFileSync(join(root, "docs/errors-and-versions.md"), "utf8");
  const codes = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(codes).toEqual(["NO_ADAPTER", "INCOMPLETE", "TOO_LITTLE_MEMORY", "WEIGHTS_UNREADABLE"]);
});
