/**
 * mediabunny hands a decoder up to 40 packets at once. Where frames are enlarged more slowly than they are decoded,
 * that many would wait in memory; so this decoder keeps the packets, which are small, until frames have been closed.
 */

/** Frames that are open or being decoded. (A codec that reorders frames may hold a few more inside.) */
const MOST = 6;

/** From now on, decoders made in this thread are such. */
export function paceDecoders(): void {
  if (!("VideoDecoder" in globalThis) || VideoDecoder.prototype instanceof Original) return;
  globalThis.VideoDecoder = PacedDecoder();
}

const Original = globalThis.VideoDecoder;

function PacedDecoder(): typeof VideoDecoder {
  return class extends Original {
    #packets: EncodedVideoChunk[] = [];
    #openFrames = 0;
    #onEmpty: () => void = () => {};

    constructor({ output, error }: VideoDecoderInit) {
      super({
        error,
        output: (frame) => {
          this.#openFrames++;
          const close = frame.close.bind(frame);
          frame.close = () => {
            frame.close = close; // counts once
            close();
            this.#openFrames--;
            this.#feed();
          };
          output(frame);
        },
      });
      Object.defineProperty(this, "decodeQueueSize", {
        get: () => this.#queued + this.#packets.length,
      });
      this.addEventListener("dequeue", () => this.#feed());
    }

    get #queued(): number {
      return Reflect.get(Original.prototype, "decodeQueueSize", this);
    }

    override decode(packet: EncodedVideoChunk): void {
      this.#packets.push(packet);
      this.#feed();
    }

    override async flush(): Promise<void> {
      while (this.#packets.length > 0 && this.state === "configured") {
        await new Promise<void>((resolve) => {
          this.#onEmpty = resolve;
        });
      }
      return super.flush();
    }

    override reset(): void {
      this.#packets = [];
      super.reset();
      this.#onEmpty();
    }

    override close(): void {
      this.#packets = [];
      super.close();
      this.#onEmpty();
    }

    #feed(): void {
      while (
        this.state === "configured" &&
        this.#packets.length > 0 &&
        this.#openFrames + this.#queued < MOST
      ) {
        super.decode(this.#packets.shift()!);
      }
      if (this.#packets.length === 0 || this.state !== "configured") this.#onEmpty();
    }
  };
}
