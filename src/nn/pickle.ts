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
  readonly names: ReadonlyMap<string, Name>;
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
  { names, persistent }: UnpickleOptions,
  start = 0,
): { value: unknown; end: number } {
  const input = new Input(bytes, start);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let objects = 0;

  const push = (value: unknown) => void stack.push(value);
  const make = <T>(object: T): T => {
    if (++objects > MAX_OBJECTS) throw new PickleError(`it has more than ${MAX_OBJECTS} objects`);
    return object;
  };
  const pop = (): unknown => {
    if (stack.length === 0 || stack.at(-1) === mark) throw new PickleError("its stack is empty");
    return stack.pop();
  };
  const top = (): unknown => {
    if (stack.length === 0 || stack.at(-1) === mark) throw new PickleError("its stack is empty");
    return stack.at(-1);
  };
  const popMarked = (): unknown[] => {
    const at = stack.lastIndexOf(mark);
    if (at < 0) throw new PickleError("a mark is missing");
    const items = stack.splice(at);
    items.shift();
    return items;
  };
  const popMany = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const remember = (index: number) => void memo.set(index, top());
  const recall = (index: number) => {
    if (!memo.has(index)) throw new PickleError("it refers to an object that it lacks");
    push(memo.get(index));
  };
  const find = (module: string, name: string) => {
    const whole = `${module}.${name}`;
    const allowed = names.get(whole);
    if (allowed === undefined) throw new PickleError(`it refers to ${excerpt(whole)}`, whole);
    push(allowed);
  };
  const call = () => {
    const args = pop();
    const callee = pop() as Partial<Name>;
    if (!Array.isArray(args)) throw new PickleError("a call lacks its arguments");
    if (typeof callee?.call !== "function") throw new PickleError("it calls something that is no function");
    push(make(callee.call(args)));
  };
  const setItems = (items: readonly unknown[]) => {
    const dict = top();
    if (!(dict instanceof Dict) || items.length % 2 !== 0) throw new PickleError("a dictionary is broken");
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i], items[i + 1]);
  };
  const append = (items: readonly unknown[]) => {
    const list = top();
    if (!Array.isArray(list)) throw new PickleError("a list is broken");
    for (const item of items) list.push(item);
  };
  const addAll = (items: readonly unknown[]) => {
    const set = top();
    if (!(set instanceof Set)) throw new PickleError("a set is broken");
    for (const item of items) set.add(item);
  };
  const dictOf = (items: readonly unknown[]) => {
    push(make(new Dict()));
    setItems(items);
  };
  const refer = (reference: unknown) => {
    if (!persistent) throw new PickleError("it refers to something outside itself");
    push(make(persistent(reference)));
  };
  /** Sets attributes. Only those of dictionaries mean anything here. */
  const build = () => {
    const state = pop();
    const object = top();
    if (object instanceof Dict) object.attributes = state;
  };

  for (let count = 0; ; count++) {
    if (count > MAX_INSTRUCTIONS) throw new PickleError(`it has more than ${MAX_INSTRUCTIONS} instructions`);
    const code = input.byte();
    switch (String.fromCharCode(code)) {
      case "\x80": // PROTO
        if (input.byte() > 5) throw new PickleError("its protocol is newer than 5");
        break;
      case "\x95": // FRAME: the next bytes belong together, which matters to nobody here
        input.size(8);
        break;
      case ".": {
        const value = pop();
        return { value, end: input.at };
      }

      // ---- Values
      case "N":
        push(null);
        break;
      case "\x88":
        push(true);
        break;
      case "\x89":
        push(false);
        break;
      case "K":
        push(input.size(1));
        break;
      case "M":
        push(input.size(2));
        break;
      case "J":
        push(input.size(4) | 0);
        break;
      case "I": // of protocol 0, where 00 and 01 are booleans
      case "L":
        push(numberOf(input.line()));
        break;
      case "\x8a":
        push(input.long(input.size(1)));
        break;
      case "\x8b":
        push(input.long(input.size(4)));
        break;
      case "G":
        push(input.float());
        break;
      case "F":
        push(Number(input.line()));
        break;
      case "X":
        push(input.text(input.size(4)));
        break;
      case "\x8c":
        push(input.text(input.size(1)));
        break;
      case "\x8d":
        push(input.text(input.size(8)));
        break;
      case "V":
        push(input.line());
        break;
      case "S": // quoted
        push(input.line().slice(1, -1));
        break;
      case "U": // texts of Python 2
        push(input.latin1(input.size(1)));
        break;
      case "T":
        push(input.latin1(input.size(4)));
        break;
      case "C":
        push(make(input.bytes(input.size(1))));
        break;
      case "B":
        push(make(input.bytes(input.size(4))));
        break;
      case "\x8e":
        push(make(input.bytes(input.size(8))));
        break;

      // ---- Compound objects
      case "(":
        push(mark);
        break;
      case ")":
      case "]":
        push(make([]));
        break;
      case "t":
      case "l":
        push(make(popMarked()));
        break;
      case "\x85":
        push(make(popMany(1)));
        break;
      case "\x86":
        push(make(popMany(2)));
        break;
      case "\x87":
        push(make(popMany(3)));
        break;
      case "}":
        push(make(new Dict()));
        break;
      case "d":
        dictOf(popMarked());
        break;
      case "a":
        append(popMany(1));
        break;
      case "e":
        append(popMarked());
        break;
      case "s":
        setItems(popMany(2));
        break;
      case "u":
        setItems(popMarked());
        break;
      case "\x8f":
        push(make(new Set()));
        break;
      case "\x90":
        addAll(popMarked());
        break;
      case "\x91":
        push(make(new Set(popMarked())));
        break;

      // ---- The stack and the memo, by which an object appears in several places
      case "0":
        if (stack.pop() === undefined) throw new PickleError("its stack is empty");
        break;
      case "1":
        popMarked();
        break;
      case "2":
        push(top());
        break;
      case "q":
        remember(input.size(1));
        break;
      case "r":
        remember(input.size(4));
        break;
      case "p":
        remember(Number(input.line()));
        break;
      case "\x94":
        remember(memo.size);
        break;
      case "h":
        recall(input.size(1));
        break;
      case "j":
        recall(input.size(4));
        break;
      case "g":
        recall(Number(input.line()));
        break;

      // ---- Names, and calls of what they name
      case "c":
        find(input.line(), input.line());
        break;
      case "i": // INST: a name and its arguments at once
        find(input.line(), input.line());
        throw new PickleError("it makes an object of a class of Python 2");
      case "\x93": {
        const [module, name] = popMany(2);
        if (typeof module !== "string" || typeof name !== "string") throw new PickleError("a name is broken");
        find(module, name);
        break;
      }
      case "R": // a function
      case "\x81": // a class
        call();
        break;
      case "b":
        build();
        break;
      case "Q":
        refer(pop());
        break;
      case "P":
        refer(input.line());
        break;
      default:
        throw new PickleError(
          `it has the instruction 0x${code.toString(16)}, which weight files do not have`,
        );
    }
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
