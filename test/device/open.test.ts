import { expect, test } from "vitest";
import { defaultDevice, onDevice, setDefaultDevice } from "../../src/device/open.ts";
import { tensor } from "../../src/tensor/create.ts";
import { float32Device } from "../support/devices.ts";

const [usual, other] = [float32Device(), float32Device()];

test("onDevice runs a function on another device, and refuses one that is not over when it returns", () => {
  setDefaultDevice(usual);
  expect(onDevice(other, () => tensor([1])).device).toBe(other);
  const refused: (() => unknown)[] = [
    async () => {
      await null;
      return tensor([1]);
    },
    async () => {
      throw new Error("later");
    },
    () => Promise.resolve(1),
  ];
  for (const body of refused) {
    expect(() => onDevice(other, body)).toThrow(RangeError);
    expect(() => onDevice(other, body)).toThrow(/^onDevice: the function returned a promise/);
    expect(defaultDevice()).toBe(usual);
  }
  const fails = () => {
    throw new Error("at once");
  };
  expect(() => onDevice(other, fails)).toThrow("at once");
  expect(defaultDevice()).toBe(usual);
});
