/**
 * A cache of things that are costly to make: it keeps the `capacity` entries that were asked for last and
 * drops the one that has waited longest (least recently used).
 */
export class LruCache<K, V> {
  readonly #capacity: number;
  readonly #drop: (value: V) => void;
  /** The longest unused entry first: a Map keeps the order of insertion. */
  readonly #entries = new Map<K, V>();

  /** @param drop Called with every value that the cache lets go of. */
  constructor(capacity: number, drop: (value: V) => void = () => {}) {
    this.#capacity = capacity;
    this.#drop = drop;
  }

  /** The value kept under `key`, made by `make` if there is none. */
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
}
