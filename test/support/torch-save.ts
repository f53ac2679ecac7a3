/** Files as torch.save writes them of dictionaries in dictionaries. */
import type { NamedArray } from "../../src/nn/module.ts";
import { PickleWriter } from "../../src/weights/pickle-writer.ts";
import { writeTensor } from "../../src/weights/pytorch-writer.ts";
import { writeStoredZip } from "../../src/weights/stored-zip.ts";

/** Maps become dictionaries, lists tuples; others are tensors and whole numbers. */
export type Saved = NamedArray | number | readonly Saved[] | { readonly [key: string]: Saved } | State;
type State = ReadonlyMap<string, NamedArray>;

export function torchSave(thing: Saved): Uint8Array {
  const pickle = new PickleWriter();
  const storages: [string, Uint8Array][] = [];
  const write = (value: Saved): void => {
    if (typeof value === "number") pickle.number(value);
    else if (Array.isArray(value)) pickle.tuple(() => value.forEach(write));
    else if (isArray(value)) tensor(value);
    else {
      const entries = value instanceof Map ? [...value] : Object.entries(value);
      pickle.dict(() => {
        for (const [key, inner] of entries) {
          pickle.text(key);
          write(inner);
        }
      });
    }
  };
  const tensor = ({ shape, data }: NamedArray) => {
    const key = String(storages.length);
    storages.push([`archive/data/${key}`, new Uint8Array(Float32Array.from(data).buffer)]);
    writeTensor(pickle, shape, key);
  };
  write(thing);
  return writeStoredZip(new Map([["archive/data.pkl", pickle.end()], ...storages]));
}

function isArray(value: Saved): value is NamedArray {
  return typeof value === "object" && "data" in value && value.data instanceof Float32Array;
}
