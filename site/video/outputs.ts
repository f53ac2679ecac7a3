/** Which files this browser can write, and what becomes of the sound in them. */
import {
  type AudioCodec,
  canEncodeAudio,
  getFirstEncodableVideoCodec,
  type InputAudioTrack,
  Mp4OutputFormat,
  type OutputFormat,
  Quality,
  type VideoCodec,
  WebMOutputFormat,
} from "mediabunny";
import type { Size } from "../size.ts";
import type { Container, FileSize, OutputChoice } from "./messages.ts";
import { nameOfCodec, type VideoSource } from "./source.ts";

/** What becomes of a track of sound. */
export type SoundWay =
  | { readonly way: "copy"; readonly track: InputAudioTrack; readonly codec: AudioCodec }
  | { readonly way: "encode"; readonly track: InputAudioTrack; readonly codec: AudioCodec }
  | { readonly way: "none"; readonly track: InputAudioTrack };

/** The codecs that a container gets, the first that the browser can encode. */
const videoCodecs: Readonly<Record<Container, readonly VideoCodec[]>> = {
  mp4: ["avc", "hevc", "av1", "vp9"],
  webm: ["vp9", "av1", "vp8"],
};

/** Bits for a pixel that look good in most videos. */
const bitsPerPixel: Readonly<Partial<Record<VideoCodec, number>>> = {
  avc: 0.09,
  hevc: 0.06,
  vp9: 0.06,
  av1: 0.05,
  vp8: 0.1,
};
const factors: Readonly<Record<FileSize, number>> = { small: 0.5, medium: 1, large: 2.5 };

/** Of a frame: no level of these codecs knows more, and what browsers say of larger ones cannot be relied on. */
const MAX_PIXELS = 8192 * 4352;

/** For tiny videos. With less, H.264 gets a level ("1b") that browsers do not play. */
const MIN_BITRATE = 250_000;

/** Bits a second of sound that is encoded anew. */
export const SOUND_BITRATE = 128_000;

export function formatOf(container: Container): OutputFormat {
  return container === "mp4" ? new Mp4OutputFormat({ fastStart: false }) : new WebMOutputFormat();
}

/** The files that the video, enlarged to `size`, can become; the one that is most like its own first. */
export async function outputsFor(
  source: VideoSource,
  { width, height }: Size,
  fileSize: FileSize,
): Promise<OutputChoice[]> {
  if (width * height > MAX_PIXELS) return [];
  const isWebm = source.facts.format === "WebM";
  const containers: readonly Container[] = isWebm ? ["webm", "mp4"] : ["mp4", "webm"];
  const choices = await Promise.all(
    containers.map(async (container): Promise<OutputChoice[]> => {
      const options = { width, height, quality: new Quality({ bitrate: 1e6 }) };
      const codec = await getFirstEncodableVideoCodec([...videoCodecs[container]], options);
      if (!codec) return [];
      const bitrate = bitrateFor(codec, width * height * source.facts.rate, fileSize);
      const ways = await soundWays(source, container);
      const sound = (await Promise.all(ways.map(soundBitrate))).reduce((sum, bits) => sum + bits, 0);
      const choice: OutputChoice = {
        ...{ container, codec, bitrate, codecName: nameOfCodec(codec) },
        bytes: (source.facts.duration * (bitrate + sound)) / 8,
        sound: await Promise.all(
          ways.map(async ({ way, track }) => ({ way, codec: nameOfCodec((await track.getCodec())!) })),
        ),
      };
      return [choice];
    }),
  );
  return choices.flat();
}

function bitrateFor(codec: VideoCodec, pixels: number, fileSize: FileSize): number {
  return Math.max(MIN_BITRATE, Math.round((bitsPerPixel[codec] ?? 0.1) * factors[fileSize] * pixels));
}

/** Bits a second. */
async function soundBitrate({ way, track }: SoundWay): Promise<number> {
  if (way !== "copy") return way === "encode" ? SOUND_BITRATE : 0;
  return (await track.computePacketStats(100)).averageBitrate;
}

export async function soundWays({ sound }: VideoSource, container: Container): Promise<SoundWay[]> {
  const supported = formatOf(container).getSupportedAudioCodecs();
  return Promise.all(
    sound.map(async (track): Promise<SoundWay> => {
      const own = (await track.getCodec())!;
      if (supported.includes(own)) return { way: "copy", track, codec: own };
      if (!(await track.canDecode())) return { way: "none", track };
      const numberOfChannels = await track.getNumberOfChannels();
      const sampleRate = await track.getSampleRate();
      const quality = new Quality({ bitrate: SOUND_BITRATE });
      for (const codec of ["aac", "opus"] as const) {
        if (!supported.includes(codec)) continue;
        if (await canEncodeAudio(codec, { numberOfChannels, sampleRate, quality }))
          return { way: "encode", track, codec };
      }
      return { way: "none", track };
    }),
  );
}
