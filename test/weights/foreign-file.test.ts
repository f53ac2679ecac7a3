/** What is given in place of a weight file is called by its name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodePng } from "../../src/data/files.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { ESPCN, loadModel, saveWeights } from "../../src/index.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import { noise, testData } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const zip = (name: string) =>
  latin1(`PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0${"\0".repeat(12)}\x10\0\x12\0${name}`);

test.each<[string, Uint8Array, RegExp]>([
  ["net.pth", latin1(`PK\x03\x04${"\0".repeat(200)}`), /a zip archive, and none of PyTorch's/],
  ["net.pth", latin1(`sys_info${"\0".repeat(300)}`), /PyTorch before 0\.1\.10.*torch\.save/],
  ["net.keras", zip("metadata.json"), /a Keras network/],
  ["x.ckpt", latin1("\x80\x04\x95\x10\0\0\0\0\0\0\0}"), /a Python pickle, and none that torch\.save/],
  ["net.onnx", latin1("\x08\x03\x12\x07pytorch\x1a\x031.1:\x9a\x10"), /an ONNX network/],
  ["net.onnx", latin1("\x3a\x9a\x10\x0a\x05hello\x99\x98\x97"), /an ONNX network/],
  ["net.param", latin1("Input data 0 1 data\n"), /a part of an ncnn network.*Put both parts into one folder/],
  ["net.bin", latin1("\x47\x6b\x30\x01\x12\x34\x56\x78\x9a\xbc"), /ncnn network/],
  ["net.h5", latin1("\x89HDF\r\n\x1a\n\0\0\0\0"), /HDF5 file, as Keras/],
  ["net.tflite", latin1("\x1c\0\0\0TFL3\x14\0 \0"), /TensorFlow Lite/],
  ["net.pb", latin1("\x0a\x2f\x0a\x05input\x12\x0bPlaceholder"), /TensorFlow network/],
  ["w.npy", latin1("\x93NUMPY\x01\0v\0{'descr'"), /NumPy array/],
  ["w.safetensors", latin1("<!DOCTYPE html>\n<html><head>"), /a web page, such as one that asks to log in/],
  ["w.safetensors", latin1("\n <!-- x --> <html>"), /a web page/],
  ["w.safetensors", latin1('<?xml version="1.0"?><Error><Code>AccessDenied'), /a server's answer/],
  ["w.safetensors", latin1("version https://git-lfs.github.com/spec/v1\noid sha256:4d7"), /git lfs pull/],
  ["w.zip", zip("readme.txt"), /a zip archive, and none of PyTorch's.*Unpack it/],
  ["w.gz", latin1("\x1f\x8b\x08\0\0\0\0\0"), /a packed file/],
  ["config.json", latin1('{\n  "network": {}'), /a JSON text.*best\.safetensors/],
  ["a.png", await encodePng(noise(3, 3, 3)), /a picture/],
  ["net.pth", new Uint8Array(0), /an empty file/],
  ["net.safetensors", new Uint8Array(0), /an empty file/],
])("%s (case %#)", (name, bytes, message) => {
  const { message: text } = (() => {
    try {
      return loadModel(bytes, `weights/${name}`) && new Error("it was loaded");
    } catch (error) {
      return error as Error;
    }
  })();
  expect(text).toMatch(message);
  expect(text.startsWith(`weights/${name}: this is `)).toBe(true);
  expect(text).toContain("a weight file (safetensors, or PyTorch's .pth) was wanted");
  expect(text).not.toContain("\n");
});

describe("safetensors", () => {
  test("whatever they are called, and cut short, are no other files", async () => {
    setDefaultDevice(float32Device());
    const bytes = await saveWeights(new ESPCN({ scale: 2, filters: [2, 2] }));
    expect(loadModel(bytes, "net.pth").scale).toBe(2);
    for (const length of [9, 20, 300, bytes.length - 1]) {
      expect(() => parseSafetensors(bytes.subarray(0, length), "net.onnx")).toThrow(
        "net.onnx is not a complete safetensors file",
      );
    }
  });
});

const weights = testData("weights");
test.skipIf(weights === undefined)("a published ONNX network", () => {
  const bytes = readFileSync(join(weights!, "subpixel-onnx", "super_resolution_x3.onnx"));
  expect(() => parseSafetensors(bytes, "network")).toThrow(/this is an ONNX network/);
});
