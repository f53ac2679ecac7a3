/** Writes weight files of PyTorch, `.pth`: the zip archive that PyTorch writes since 1.6. */

import type { NamedArray } from "../nn/module.ts";
import { checkArguments, checkOptions } from "../options/arguments.ts";
import { oneOf } from "../options/kinds.ts";
import { numel, type Shape, stridesOf } from "../tensor/shape.ts";
import { checkHalf, float16, float32 } from "./number-formats.ts";
import { PickleWriter } from "./pickle-writer.ts";
import { metadataKey, numberTypes } from "./pytorch-archive.ts";
import { namedArrays, texts } from "./safetensors.ts";
import { writeStoredZip } from "./stored-zip.ts";

export interface PytorchFileOptions {
  /** float32 keeps every bit; float16 takes half the bytes and keeps about three digits. Default float32. */
  readonly dtype?: "float32" | "float16";
}

/**
 * A weight file of these tensors as `torch.save(model.state_dict(), path)` writes it, which
 * `torch.load(path, weights_only=True)` reads.
 *
 * @throws RangeError if a value is too large for `dtype`, or the file would have 4 GiB or more.
 */
export function serializePytorch(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
  options: PytorchFileOptions = {},
): Uint8Array<ArrayBuffer> {
  checkArguments("serializePytorch", {
    "the first argument": [tensors, namedArrays],
    metadata: [metadata, texts],
  });
  checkOptions("serializePytorch", options, { dtype: oneOf("float32", "float16") });
  const { dtype = "float32" } = options;
  const storageClass = numberTypes.find(([, name]) => name === dtype)![0];
  const { bytes: width, write } = { float32, float16 }[dtype];
  const pickle = new PickleWriter();
  const storages: [string, Uint8Array][] = [];
  writeEmptyDict(pickle);
  pickle.items(() => {
    for (const [name, { shape, data }] of tensors) {
      const key = String(storages.length);
      if (dtype === "float16") checkHalf("serializePytorch", name, data);
      const content = new Uint8Array(width * data.length);
      const view = new DataView(content.buffer);
      for (const [i, value] of data.entries()) write(view, width * i, value);
      storages.push([`archive/data/${key}`, content]);
      pickle.text(name);
      writeTensor(pickle, shape, key, storageClass);
    }
  });
  pickle.attributes(() => {
    pickle.text("_metadata");
    writeEmptyDict(pickle);
    pickle.items(() => {
      pickle.text(metadataKey);
      pickle.dict(() => {
        for (const [key, value] of Object.entries(metadata)) {
          pickle.text(key);
          pickle.text(value);
        }
      });
    });
  });
  const text = (value: string) => new TextEncoder().encode(value);
  return writeStoredZip(
    new Map([
      ["archive/data.pkl", pickle.end()],
      ["archive/byteorder", text("little")],
      ...storages,
      ["archive/version", text("3\n")],
    ]),
  );
}

/** Appends a tensor whose numbers, of the type that a storage's class names, are the archive's entry `data/KEY`. */
export function writeTensor(
  pickle: PickleWriter,
  shape: Shape,
  key: string,
  storageClass = "FloatStorage",
): void {
  pickle.call("torch._utils", "_rebuild_tensor_v2", () => {
    pickle.reference(() => {
      pickle.text("storage");
      pickle.name("torch", storageClass);
      pickle.text(key);
      pickle.text("cpu");
      pickle.number(numel(shape));
    });
    pickle.number(0);
    pickle.tuple(() => shape.forEach((size) => void pickle.number(size)));
    pickle.tuple(() => stridesOf(shape).forEach((stride) => void pickle.number(stride)));
    pickle.boolean(false);
    writeEmptyDict(pickle); // hooks
  });
}

function writeEmptyDict(pickle: PickleWriter): void {
  pickle.call("collections", "OrderedDict", () => {});
}
