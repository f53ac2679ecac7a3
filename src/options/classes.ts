/** Of which class a value is, and of which kind its memory, whichever realm (frame, worker, vm) made it. */

/**
 * Whether a value is an instance of one of these classes, by the name that the platform itself gives it. Unlike
 * instanceof, this works where the class is missing (in Node, in workers), and for what comes from a frame.
 */
export function isOfClass<T>(value: unknown, ...names: readonly string[]): value is T {
  return names.includes(Object.prototype.toString.call(value).slice("[object ".length, -1));
}

/** A Blob or a File: of the platform, or of a test's DOM, whose classes have no name of their own. */
export function isBlob(value: unknown): value is Blob {
  if (isOfClass(value, "Blob", "File")) return true;
  const { arrayBuffer, size, type } = (value ?? {}) as Partial<Blob>;
  return typeof arrayBuffer === "function" && typeof size === "number" && typeof type === "string";
}

/** Bytes in a typed array: of a file, or of a picture, whose canvases have clamped ones. */
export function isBytes(value: unknown): value is Uint8Array {
  return isOfClass(value, "Uint8Array", "Uint8ClampedArray");
}

/** The same bytes as a Uint8Array of this program's own, and in memory that no other thread can change. */
export function ownBytes(bytes: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.byteLength > 0 ? bytes : []);
  const { buffer, byteOffset, byteLength } = unshared(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A view as it is; of a SharedArrayBuffer, a copy of its bytes. Browsers give WebGPU, Blob and TextDecoder no shared
 * memory, and Dawn crashes on it.
 */
export function unshared(view: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = view;
  if (!isOfClass(buffer, "SharedArrayBuffer")) return view as ArrayBufferView<ArrayBuffer>;
  const copy = new Uint8Array(byteLength);
  copy.set(new Uint8Array(buffer as SharedArrayBuffer, byteOffset, byteLength));
  return copy;
}
