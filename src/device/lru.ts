/**
 * A cache for values that are costly to make. It keeps the `capacity` entries that were used last, and drops
 * the least recently used one when there are more.
 */
export class LruCache<K, V> {
  readonly #capacity: number;
  readonly #drop: (value: V) => void;
  /** The least recently used entry first: a Map keeps the order of insertion. */
  readonly #entries = new Map<K, V>();

  /** @param drop Called with every value that leaves the cache. */
  constructor(capacity: number, drop: (value: V) => void = () => {}) {
    this.#capacity = capacity;
    this.#drop = drop;
  }

  /** The value under `key`, which `make` makes if there is none. */
  get(key: K, make: () => V): V {
    const value = this.#entries.get(key) ?? make();
    this.#entries.delete(key); // and set again, which moves it to the end
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) {
      const [oldest, dropped] = this.#entries.entries().next().value!;
      this.#entries.delete(oldest);
      this.#drop(dropped);
    }
    return value;
  }

  /** Drops the value under `key`, if there is one. */
  delete(key: K): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#drop(value);
  }

  /** Drops all entries. */
  clear(): void {
    const values = [...this.#entries.values()];
    this.#entries.clear();
    for (const value of values) this.#drop(value);
  }
}
