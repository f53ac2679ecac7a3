import { inflateSync } from "node:zlib";

/** A matrix as Matlab stores it: the first index runs fastest. */
export interface Matrix {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The single-precision matrices of a .mat file of version 5, by name. Elements of 8 bytes tag (type, length)
 * and contents, padded to 8; those of up to 4 bytes keep their contents in the tag. Compressed elements (15)
 * contain matrices (14), which contain flags, sizes, name and values. Specification: "MAT-File Format",
 * MathWorks.
 */
export function readMat(bytes: Buffer): Map<string, Matrix> {
  const matrices = new Map<string, Matrix>();
  for (const element of elements(bytes.subarray(128))) {
    const [{ type, data }] = element.type === 15 ? [...elements(inflateSync(element.data))] : [element];
    if (type !== 14) throw new Error(`readMat: an element of type ${type} where a matrix should be.`);
    const [, sizes, name, values] = [...elements(data)];
    if (values.type !== 7) throw new Error(`readMat: matrix ${name.data} is not of single precision.`);
    matrices.set(name.data.toString(), {
      shape: Array.from({ length: sizes.data.length / 4 }, (_, i) => sizes.data.readInt32LE(4 * i)),
      data: Float32Array.from({ length: values.data.length / 4 }, (_, i) => values.data.readFloatLE(4 * i)),
    });
  }
  return matrices;
}

function* elements(bytes: Buffer): Generator<{ type: number; data: Buffer }> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const small = bytes.readUInt16LE(at + 2);
    const type = small > 0 ? bytes.readUInt16LE(at) : bytes.readUInt32LE(at);
    const start = small > 0 ? at + 4 : at + 8;
    const length = small > 0 ? small : bytes.readUInt32LE(at + 4);
    yield { type, data: bytes.subarray(start, start + length) };
    at = small > 0 ? at + 8 : start + (type === 15 ? length : Math.ceil(length / 8) * 8);
  }
}
