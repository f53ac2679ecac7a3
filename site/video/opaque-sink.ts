/** Frames without their transparency, which results lack. (Browsers mark all that they record of a canvas so.) */
import { type EncodedPacket, EncodedPacketSink, type InputVideoTrack, VideoSampleSink } from "mediabunny";

/**
 * mediabunny would decode transparency by itself, in workers that the page's policy forbids, and then nothing would
 * come. So it gets packets that have none. (A test has a video with transparency: it fails if a new version of
 * mediabunny asks for its packets in another way.)
 */
export class OpaqueSampleSink extends VideoSampleSink {
  readonly #track: InputVideoTrack;

  constructor(track: InputVideoTrack) {
    super(track);
    this.#track = track;
  }

  _createPacketSink(): EncodedPacketSink {
    return new OpaquePacketSink(this.#track);
  }
}

type Arguments<Name extends keyof EncodedPacketSink> = Parameters<EncodedPacketSink[Name]>;

class OpaquePacketSink extends EncodedPacketSink {
  override async getFirstKeyPacket(...options: Arguments<"getFirstKeyPacket">) {
    return opaque(await super.getFirstKeyPacket(...options));
  }

  override async getPacket(...options: Arguments<"getPacket">) {
    return opaque(await super.getPacket(...options));
  }

  override async getKeyPacket(...options: Arguments<"getKeyPacket">) {
    return opaque(await super.getKeyPacket(...options));
  }

  override async getNextPacket(...options: Arguments<"getNextPacket">) {
    return opaque(await super.getNextPacket(...options));
  }

  override async *packets(...options: Arguments<"packets">): AsyncGenerator<EncodedPacket, void, unknown> {
    for await (const packet of super.packets(...options)) {
      opaque(packet);
      yield packet;
    }
  }
}

function opaque<Packet extends EncodedPacket | null>(packet: Packet): Packet {
  if (packet) delete packet.sideData.alpha;
  return packet;
}
