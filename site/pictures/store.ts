/** The pictures that the worker knows. Those not used for longest are packed when they take too much memory. */
import type { FileMetadata } from "../../src/formats/metadata.ts";
import type { Image, Samples } from "../../src/picture/index.ts";
import { newIds } from "../ids.ts";
import { say } from "../worker-language.ts";

/** A picture in memory, and what its file said besides. */
export interface StoredPicture extends FileMetadata {
  readonly image: Image<Samples>;
  /** Of a JPEG file: how strongly it was compressed, 1 to 100. */
  readonly jpegQuality?: number;
}

interface Entry {
  picture: StoredPicture | undefined;
  /** Makes the picture again. */
  load: (() => Promise<StoredPicture>) | undefined;
  /** Its bytes while it is in memory. */
  readonly bytes: number;
  lastUse: number;
}

/** Samples of pictures that are not in use may take so many bytes. */
const BUDGET = 2 ** 28;

export class PictureStore {
  readonly #entries = new Map<number, Entry>();
  readonly #pack: (picture: StoredPicture) => Promise<() => Promise<StoredPicture>>;
  readonly #newId = newIds();
  #clock = 0;

  /** `pack` stores a picture in less memory, and returns how to get it back. */
  constructor(pack: (picture: StoredPicture) => Promise<() => Promise<StoredPicture>>) {
    this.#pack = pack;
  }

  /** @param load reads it again; without one, it is packed when it has to go. */
  add(picture: StoredPicture, load?: () => Promise<StoredPicture>): number {
    const id = this.#newId();
    this.#entries.set(id, { picture, load, bytes: picture.image.data.byteLength, lastUse: ++this.#clock });
    void this.#makeRoom();
    return id;
  }

  async get(id: number): Promise<StoredPicture> {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(say.gone);
    entry.lastUse = ++this.#clock;
    if (entry.picture) return entry.picture;
    const picture = await entry.load!();
    entry.picture = picture;
    void this.#makeRoom();
    return picture;
  }

  forget(id: number): void {
    this.#entries.delete(id);
  }

  /** The latest picture stays, whatever its size. */
  async #makeRoom(): Promise<void> {
    const inMemory = [...this.#entries.values()]
      .filter(({ picture }) => picture)
      .sort((a, b) => b.lastUse - a.lastUse);
    let bytes = inMemory[0]?.bytes ?? 0;
    for (const entry of inMemory.slice(1)) {
      bytes += entry.bytes;
      if (bytes <= BUDGET || !entry.picture) continue;
      entry.load ??= await this.#pack(entry.picture);
      entry.picture = undefined;
    }
  }
}
