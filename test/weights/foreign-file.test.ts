/** What is given in place of a weight file is called by its name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { ESPCN, loadModel, saveWeights } from "../../src/index.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import { noise, testData } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const zip = (name: string) =>
  latin1(`PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0${"\0".repeat(12)}\x10\0\x12\0${name}`);

test.each<[string, Uint8Array, RegExp]>([
  ["net.pth", latin1(`PK\x03\x04${"\0".repeat(200)}`), /a zip archive, as PyTorch's files are, and damaged/],
  ["net.pth", latin1(`sys_info${"\0".repeat(300)}`), /PyTorch before 0\.1\.10.*torch\.save/],
  ["net.pt2", zip("net/data/weights/weight_0"), /a program of torch\.export/],
  ["old.pt2", zip("serialized_exported_program.json"), /a program of torch\.export/],
  [
    ".metadata",
    latin1("\x80\x04\x95\xfa\x0b\0\0\0\0\0\0\x8c\x25torch.distributed.checkpoint.metadata"),
    /a part of a distributed checkpoint.*dcp_to_torch_save/,
  ],
  ["net.keras", zip("metadata.json"), /a Keras network/],
  ["x.ckpt", latin1("\x80\x04\x95\x10\0\0\0\0\0\0\0}"), /a Python pickle, and none that torch\.save/],
  ["net.onnx", latin1("\x08\x03\x12\x07pytorch\x1a\x031.1:\x9a\x10"), /an ONNX network/],
  ["net.onnx", latin1("\x3a\x9a\x10\x0a\x05hello\x99\x98\x97"), /an ONNX network/],
  [
    "net.param",
    latin1("Input data 0 1 data\n"),
    /a part of a network of ncnn.*Put both parts into one folder/,
  ],
  ["net.bin", latin1("\x47\x6b\x30\x01\x12\x34\x56\x78\x9a\xbc"), /a part of a network of ncnn/],
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
  ["net.mlmodel", latin1("\x08\x04\x12\x30\x0a\x05input\xa2\x06 coremltools"), /a network of Core ML/],
  ["m.caffemodel", latin1("\x0a\x03net\xa2\x06\x30\x0a\x04data"), /a network of Caffe/],
  ["m.prototxt", latin1('name: "net"\nlayer {\n'), /a network of Caffe/],
  ["m.params", latin1("\x12\x01\0\0\0\0\0\0\0\0"), /a network of MXNet/],
  ["m.engine", latin1("ftrt\0\0\0\0\x9b"), /a network of TensorRT/],
  ["model.ckpt.index", latin1("\0\0\x05\0\x10\x80"), /a network of TensorFlow \(\.index/],
  ["checkpoint", latin1('model_checkpoint_path: "model.ckpt"'), /a network of TensorFlow \(checkpoint/],
  ["m.pbtxt", latin1('node {\n  name: "x"'), /a network of TensorFlow \(\.pbtxt/],
  ["m.mnn", latin1("\x24\0\0\0\x18\0"), /a network of MNN/],
  ["m.xml", latin1('<?xml version="1.0"?>\n<net name="n" version="11">'), /a network of OpenVINO/],
  ["model.json", latin1('{"format": "layers-model", "modelTopology": {'), /a network of TensorFlow\.js/],
  ["m.t7", latin1("\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"), /a network of Torch7/],
  ["m.net", latin1("4\n1\n3\nV 1\n"), /a network of Torch7/],
  ["libnet.bin", latin1("\x7fELF\x02\x01\x01"), /this is a program,/],
  ["net.py", latin1("import torch\n"), /a program in Python/],
  ["net.pth", latin1("\xff\xfeP\0K\0"), /a text in UTF-16.*Invoke-WebRequest/],
  ["net.pth", latin1("Not Found\n"), /a text, and holds no weights/],
  ["w.safetensors", latin1("Entry not found"), /a text, and holds no weights/],
  [
    "net.pth",
    latin1("\x93\x01\xff\x03\x04\x05\x06\x07\x08"),
    /no kind of file that is known here .*9301ff03/,
  ],
  ["net", latin1("\x93\x01\xff\x03\x04\x05\x06\x07\x08"), /no kind of file that is known here/],
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

  test("by their names, or by the brace of their header, they are damaged", () => {
    const noise = latin1("\x93\x01\xff\x03\x04\x05\x06\x07\x08");
    const withBrace = latin1("\x93\x01\xff\x03\x04\x05\x06\x07{");
    for (const [bytes, name] of [
      [noise, "net.safetensors"],
      [noise, undefined],
      [withBrace, "net.pth"],
    ] as const) {
      expect(() => parseSafetensors(bytes, name)).toThrow(
        / is not a complete safetensors file: its header claims/,
      );
    }
  });
});

const weights = testData("weights");
test.skipIf(weights === undefined)("a published ONNX network", () => {
  const bytes = readFileSync(join(weights!, "subpixel-onnx", "super_resolution_x3.onnx"));
  expect(() => parseSafetensors(bytes, "network")).toThrow(/this is an ONNX network/);
});
