/** In a browser, too, one line loads any network that comes with the library. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Device,
  init,
  loadPretrained,
  type PretrainedScale,
  pretrainedNames,
  scalesOf,
} from "../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init();
});
afterAll(() => device.destroy());

const all = pretrainedNames.flatMap((name) =>
  (scalesOf(name) as readonly PretrainedScale[]).map((scale) => ({ name, scale })),
);

test.each(all)("$name x$scale", async ({ name, scale }) => {
  const model = await loadPretrained(name, { scale });
  expect(model.scale).toBe(scale);
  expect(model.parameterCount()).toBeGreaterThan(10_000);
  model.dispose();
});
