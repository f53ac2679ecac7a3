/**
 * Pickles: what Python writes objects as. A pickle is a program for a small machine with a stack, whose
 * instructions put together lists, dictionaries and numbers, and call functions that they name. To Python
 * these may be any functions, `os.system` as well, so that whoever unpickles a file runs what its author
 * wanted to be run.
 *
 * Here the machine has no functions but those that its caller allows, each of them written in this library; a
 * pickle that names another one is refused by that name. Instructions are those of protocols 0 to 5, as far as
 * Python still writes them. Their meaning is documented in Python's own pickletools.py.
 */
import { excerpt } from "../options/printable.ts";

/** A pickle that is damaged, or that wants something that is not allowed. */
export class PickleError extends Error {
  override name = "PickleError";
  /** What a pickle that is whole refers to, and must not: "posix.system". Undefined if it is damaged. */
  readonly refused: string | undefined;

  constructor(message: string, refused?: string) {
    super(message);
    this.refused = refused;
  }
}

/** A dictionary of Python. Keys of one type and value are the same key; compound ones never are. */
export class Dict {
  readonly entries = new Map<unknown, unknown>();
  /** What Python would keep in the object's `__dict__`. */
  attributes: unknown;

  setState(state: unknown): void {
    this.attributes = state;
  }
}

/** Something that a pickle may refer to by name: a function, a class, a constant. */
export interface Name {
  /** The whole name: "collections.OrderedDict". */
  readonly name: string;
  /** What a call of it gives. Without one, it is a constant. */
  readonly call?: (args: readonly unknown[]) => unknown;
}

export interface UnpickleOptions {
  /** What the pickle may refer to, by whole names. */
  readonly names: Pick<ReadonlyMap<string, Name>, "get">;
  /** What stands behind a reference to something outside the pickle; default: there may be none. */
  readonly persistent?: (reference: unknown) => unknown;
}

/** More instructions and more compound objects than any weight file has; each takes time and memory. */
const MAX_INSTRUCTIONS = 2 ** 21;
const MAX_OBJECTS = 2 ** 18;

/** Bytes of a whole number. Those of PyTorch have ten at most. */
const MAX_DIGITS = 64;

/** Where the topmost list of arguments begins. */
const mark = Symbol("mark");

/**
 * Reads the pickle that begins at `start`, and says where it ends. Python's lists and tuples become arrays,
 * its dictionaries `Dict`s, its sets Sets, None null, whole numbers above 2^53 bigints.
 *
 * @throws PickleError
 */
export function unpickle(
  bytes: Uint8Array,
  options: UnpickleOptions,
  start = 0,
): { value: unknown; end: number } {
  const input = new Input(bytes, start);
  const machine = new Machine(options);
  for (let count = 0; count <= MAX_INSTRUCTIONS; count++) {
    const code = input.byte();
    const name = String.fromCharCode(code);
    if (name === STOP) return { value: machine.pop(), end: input.at };
    const instruction = instructions[name];
    if (instruction === undefined) {
      const hex = code.toString(16);
      throw new PickleError(`it has the instruction 0x${hex}, which weight files do not have`);
    }
    instruction(machine, input);
  }
  throw new PickleError(`it has more than ${MAX_INSTRUCTIONS} instructions`);
}

const STOP = ".";

/** What each instruction does, with what follows it in the input. The names in capitals are Python's. */
const instructions: Readonly<Record<string, ((machine: Machine, input: Input) => void) | undefined>> = {
  // PROTO
  "\x80": (_, input) => {
    if (input.byte() > 5) throw new PickleError("its protocol is newer than 5");
  },
  // FRAME: the next bytes belong together, which matters to nobody here
  "\x95": (_, input) => void input.size(8),

  // ---- Values
  N: (machine) => machine.push(null),
  "\x88": (machine) => machine.push(true),
  "\x89": (machine) => machine.push(false),
  K: (machine, input) => machine.push(input.size(1)),
  M: (machine, input) => machine.push(input.size(2)),
  J: (machine, input) => machine.push(input.size(4) | 0),
  I: (machine, input) => machine.push(numberOf(input.line())), // of protocol 0, where 00 and 01 are booleans
  L: (machine, input) => machine.push(numberOf(input.line())),
  "\x8a": (machine, input) => machine.push(input.long(input.size(1))),
  "\x8b": (machine, input) => machine.push(input.long(input.size(4))),
  G: (machine, input) => machine.push(input.float()),
  F: (machine, input) => machine.push(Number(input.line())),
  X: (machine, input) => machine.push(input.text(input.size(4))),
  "\x8c": (machine, input) => machine.push(input.text(input.size(1))),
  "\x8d": (machine, input) => machine.push(input.text(input.size(8))),
  V: (machine, input) => machine.push(input.line()),
  S: (machine, input) => machine.push(input.line().slice(1, -1)), // quoted
  U: (machine, input) => machine.push(input.latin1(input.size(1))), // texts of Python 2
  T: (machine, input) => machine.push(input.latin1(input.size(4))),
  C: (machine, input) => machine.pushNew(input.bytes(input.size(1))),
  B: (machine, input) => machine.pushNew(input.bytes(input.size(4))),
  "\x8e": (machine, input) => machine.pushNew(input.bytes(input.size(8))),

  // ---- Compound objects
  "(": (machine) => machine.push(mark),
  ")": (machine) => machine.pushNew([]),
  "]": (machine) => machine.pushNew([]),
  t: (machine) => machine.pushNew(machine.popMarked()),
  l: (machine) => machine.pushNew(machine.popMarked()),
  "\x85": (machine) => machine.pushNew(machine.popMany(1)),
  "\x86": (machine) => machine.pushNew(machine.popMany(2)),
  "\x87": (machine) => machine.pushNew(machine.popMany(3)),
  "}": (machine) => machine.pushNew(new Dict()),
  d: (machine) => {
    const items = machine.popMarked();
    machine.pushNew(new Dict());
    machine.setItems(items);
  },
  a: (machine) => machine.append(machine.popMany(1)),
  e: (machine) => machine.append(machine.popMarked()),
  s: (machine) => machine.setItems(machine.popMany(2)),
  u: (machine) => machine.setItems(machine.popMarked()),
  "\x8f": (machine) => machine.pushNew(new Set()),
  "\x90": (machine) => machine.addAll(machine.popMarked()),
  "\x91": (machine) => machine.pushNew(new Set(machine.popMarked())),

  // ---- The stack and the memo, by which an object appears in several places
  "0": (machine) => machine.drop(),
  "1": (machine) => void machine.popMarked(),
  "2": (machine) => machine.push(machine.top()),
  q: (machine, input) => machine.remember(input.size(1)),
  r: (machine, input) => machine.remember(input.size(4)),
  p: (machine, input) => machine.remember(Number(input.line())),
  "\x94": (machine) => machine.rememberNext(),
  h: (machine, input) => machine.recall(input.size(1)),
  j: (machine, input) => machine.recall(input.size(4)),
  g: (machine, input) => machine.recall(Number(input.line())),

  // ---- Names, and calls of what they name
  c: (machine, input) => machine.find(input.line(), input.line()),
  // INST: a name and its arguments at once
  i: (machine, input) => {
    machine.find(input.line(), input.line());
    throw new PickleError("it makes an object of a class of Python 2");
  },
  "\x93": (machine) => {
    const [module, name] = machine.popMany(2);
    if (typeof module !== "string" || typeof name !== "string") throw new PickleError("a name is broken");
    machine.find(module, name);
  },
  R: (machine) => machine.call(), // a function
  "\x81": (machine) => machine.call(), // a class
  b: (machine) => machine.build(),
  Q: (machine) => machine.refer(machine.pop()),
  P: (machine, input) => machine.refer(input.line()),
};

/** The stack, the memo, and what instructions do with them. */
class Machine {
  readonly #options: UnpickleOptions;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #objects = 0;

  constructor(options: UnpickleOptions) {
    this.#options = options;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  /** Pushes an object, of which there may be only so many. */
  pushNew(object: unknown): void {
    if (++this.#objects > MAX_OBJECTS) throw new PickleError(`it has more than ${MAX_OBJECTS} objects`);
    this.push(object);
  }

  top(): unknown {
    if (this.#stack.length === 0 || this.#stack.at(-1) === mark) throw new PickleError("its stack is empty");
    return this.#stack.at(-1);
  }

  pop(): unknown {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** What was pushed since the last mark, which goes, too. */
  popMarked(): unknown[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw new PickleError("a mark is missing");
    const items = this.#stack.splice(at);
    items.shift();
    return items;
  }

  /** Takes away the topmost value, or a mark. */
  drop(): void {
    if (this.#stack.pop() === undefined) throw new PickleError("its stack is empty");
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw new PickleError("it refers to an object that it lacks");
    this.push(this.#memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError("a list is broken");
    for (const item of items) list.push(item);
  }

  addAll(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw new PickleError("a set is broken");
    for (const item of items) set.add(item);
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Dict) || items.length % 2 !== 0) throw new PickleError("a dictionary is broken");
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i], items[i + 1]);
  }

  find(module: string, name: string): void {
    const whole = `${module}.${name}`;
    const allowed = this.#options.names.get(whole);
    if (allowed === undefined) throw new PickleError(`it refers to ${excerpt(whole)}`, whole);
    this.push(allowed);
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop() as Partial<Name>;
    if (!Array.isArray(args)) throw new PickleError("a call lacks its arguments");
    if (typeof callee?.call !== "function") throw new PickleError("it calls something that is no function");
    this.pushNew(callee.call(args));
  }

  /** Sets attributes. Only those of dictionaries mean anything here. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (object instanceof Dict) object.setState(state);
  }

  refer(reference: unknown): void {
    const { persistent } = this.#options;
    if (!persistent) throw new PickleError("it refers to something outside itself");
    this.pushNew(persistent(reference));
  }
}

/** A whole number in digits, perhaps with Python 2's L behind it. */
function numberOf(line: string): unknown {
  if (line === "00") return false;
  if (line === "01") return true;
  const number = Number(line.replace(/L$/, ""));
  if (!Number.isInteger(number)) throw new PickleError("a number is broken");
  return number;
}

/** Takes one thing after the other from a file, and throws where it ends. */
class Input {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /** Steps over the next bytes and says where they begin. */
  #take(length: number): number {
    const start = this.at;
    if (length > this.#bytes.length - start) throw new PickleError("it is cut short");
    this.at += length;
    return start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)];
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes, the lowest first. */
  size(width: 1 | 2 | 4 | 8): number {
    const start = this.#take(width);
    if (width === 1) return this.#bytes[start];
    if (width === 2) return this.#view.getUint16(start, true);
    if (width === 4) return this.#view.getUint32(start, true);
    return Number(this.#view.getBigUint64(start, true));
  }

  /** A signed number, the lowest byte first. */
  long(length: number): number | bigint {
    if (length > MAX_DIGITS) throw new PickleError(`it has a number of ${length} bytes`);
    const digits = this.bytes(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(digits[i]);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  text(length: number): string {
    return decoder.decode(this.bytes(length));
  }

  latin1(length: number): string {
    return latin1Decoder.decode(this.bytes(length));
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleError("it is cut short");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }
}

const decoder = new TextDecoder();
const latin1Decoder = new TextDecoder("latin1");
