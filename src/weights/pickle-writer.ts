/**
 * Writes pickles of protocol 2, as far as weight files need it. pickle.ts says what pickles are.
 *
 * Methods append what they are called; those with a body append what it appends, and then put it together.
 */
export class PickleWriter {
  readonly #bytes: number[] = [0x80, 2];

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#code("X");
    this.#number(bytes.length, 4);
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** A whole number from 0 to 2^53. */
  number(value: number): void {
    if (value < 2 ** 31) {
      this.#code("J");
      this.#number(value, 4);
    } else {
      this.#code("\x8a");
      this.#bytes.push(8);
      this.#number(value, 8);
    }
  }

  boolean(value: boolean): void {
    this.#code(value ? "\x88" : "\x89");
  }

  /** A function or a class, by its module and its name. */
  name(module: string, name: string): void {
    this.#code("c");
    for (const byte of new TextEncoder().encode(`${module}\n${name}\n`)) this.#bytes.push(byte);
  }

  tuple(body: () => void): void {
    this.#code("(");
    body();
    this.#code("t");
  }

  /** The result of a function. The body appends its arguments. */
  call(module: string, name: string, body: () => void): void {
    this.name(module, name);
    this.tuple(body);
    this.#code("R");
  }

  /** Something outside the pickle. The body appends what says which. */
  reference(body: () => void): void {
    this.tuple(body);
    this.#code("Q");
  }

  /** A dictionary. The body appends keys and values in turn. */
  dict(body: () => void): void {
    this.#code("}");
    this.items(body);
  }

  /** Puts keys and values into the dictionary before it. */
  items(body: () => void): void {
    this.#code("(");
    body();
    this.#code("u");
  }

  /** Sets attributes of the object before it. The body appends their names and values in turn. */
  attributes(body: () => void): void {
    this.dict(body);
    this.#code("b");
  }

  /** The whole pickle. */
  end(): Uint8Array {
    return Uint8Array.from([...this.#bytes, ".".charCodeAt(0)]);
  }

  #code(code: string): void {
    this.#bytes.push(code.charCodeAt(0));
  }

  /** The lowest byte first. */
  #number(value: number, width: number): void {
    for (let i = 0; i < width; i++) this.#bytes.push(Math.floor(value / 256 ** i) % 256);
  }
}
