/**
 * mediabunny hands a decoder up to 40 packets at once. Where frames are enlarged more slowly than they are decoded,
 * that many would wait in memory; so this decoder keeps the packets, which are small, until frames have been closed.
 */

/** Frames that are open or being decoded. (A codec that reorders frames may hold a few more inside.) */
const MOST = isWebKit() ? 20 : 6;

/** There, mediabunny holds frames back until a later one comes. */
function isWebKit(): boolean {
  const { userAgent } = navigator;
  return /AppleWebKit/.test(userAgent) && !/Chrome/.test(userAgent);
}

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
    /** Flushes that wait until the packets have gone. */
    #flushes: (() => void)[] = [];

    constructor({ output, error }: VideoDecoderInit) {
      super({
        error: (reason) => {
          this.#packets = []; // nothing decodes them now
          this.#endWaiting();
          error(reason);
        },
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
          this.#flushes.push(resolve);
        });
      }
      return super.flush();
    }

    override reset(): void {
      this.#packets = [];
      super.reset();
      this.#endWaiting();
    }

    override close(): void {
      this.#packets = [];
      super.close();
      this.#endWaiting();
    }

    #endWaiting(): void {
      for (const end of this.#flushes.splice(0)) end();
    }

    #feed(): void {
      while (
        this.state === "configured" &&
        this.#packets.length > 0 &&
        this.#openFrames + this.#queued < MOST
      ) {
        super.decode(this.#packets.shift()!);
      }
      if (this.#packets.length === 0 || this.state !== "configured") this.#endWaiting();
    }
  };
}
