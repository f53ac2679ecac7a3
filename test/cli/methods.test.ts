/** Flags that say which method enlarges, and what contradicts them. */
import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/flags.ts";
import { methodFlag } from "../../src/cli/method-flags.ts";
import { methodOf, readNetworkFile } from "../../src/cli/methods.ts";
import { tileMemory } from "../../src/cli/tile-memory.ts";
import { upscaleFlags } from "../../src/cli/upscale-flags.ts";
import { readInitial } from "../../src/train/initial.ts";

test.each(["ensemble", "half", "adapter"])("--%s is refused for an interpolation", async (flag) => {
  const given = { [flag]: flag === "adapter" ? "cpu" : true };
  const refused = methodOf({ method: "bicubic", ...given });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(`--${flag} is for networks, and bicubic computes without one`);
});

test.each(["ensemble", "half", "adapter"])(
  "--%s is refused where no network enlarges so much",
  async (flag) => {
    const given = { [flag]: flag === "adapter" ? "cpu" : true };
    const refused = methodOf({ scale: 8, ...given });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      `no network enlarges by 8, and --${flag} is for networks; take --scale 2, 3 or 4`,
    );
  },
);

test("an interpolation in place of weights is called what it is", async () => {
  const message = "bicubic is an interpolation, by a formula: it has no weights. Name a network.";
  await expect(readNetworkFile("bicubic")).rejects.toThrow(message);
  await expect(readInitial("bicubic")).rejects.toThrow(message);
});

test("--method says which weight files it takes", () => {
  for (const extension of ["safetensors", ".pth", ".param", ".h5"])
    expect(methodFlag.help).toContain(extension);
});

test("--max-memory is more than nothing", () => {
  const { kind } = upscaleFlags["max-memory"];
  for (const text of ["0M", "0.0G", "much"]) expect(kind.fits(kind.read(text)), text).toBe(false);
  expect(kind.fits(kind.read("1K"))).toBe(true);
  expect(tileMemory(undefined)).toBe(undefined);
  expect(tileMemory(1)).toBe(1);
});
