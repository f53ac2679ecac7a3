/** Opens video files, and says what is in them. */
import {
  BlobSource,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  MPEG_TS,
  QTFF,
  WEBM,
} from "mediabunny";
import { usualMatrix } from "./frames.ts";
import { say } from "./language.ts";
import type { VideoFacts } from "./messages.ts";
import { endIsMissing } from "./pieces.ts";
import { hasSubtitles } from "./subtitles.ts";
import type { YuvPlanes } from "./yuv.ts";

export interface VideoSource {
  readonly name: string;
  readonly input: Input;
  readonly video: InputVideoTrack;
  readonly sound: readonly InputAudioTrack[];
  /** The file was not downloaded or copied to its end. */
  readonly isCutOff: boolean;
  /** How its colours are coded, if it does not say so. */
  readonly assumedMatrix?: YuvPlanes["matrix"];
  readonly facts: VideoFacts;
}

/** Timestamps of so many frames say what the rate is. */
const PROBED = 200;

/** @throws DataError with a sentence for people if there is no video that this browser can read */
export async function openSource(file: Blob, name: string): Promise<VideoSource> {
  if (file.size === 0) throw dataError(say.empty(name));
  const input = new Input({ formats: [MP4, QTFF, WEBM, MATROSKA, MPEG_TS], source: new BlobSource(file) });
  try {
    if (!(await input.canRead())) throw dataError(say.noVideo(name));
    return await read(file, input, name);
  } catch (error) {
    input.dispose();
    const { message } = error as Error;
    throw (error as Error).name === "DataError" ? error : dataError(say.damaged(name, message), error);
  }
}

async function read(file: Blob, input: Input, name: string): Promise<VideoSource> {
  if ((await input.getTracks()).length === 0) throw dataError(say.incomplete(name));
  const video = await input.getPrimaryVideoTrack();
  if (!video) throw dataError(say.noVideoTrack(name));
  const codec = (await video.getCodec()) ?? `${await video.getInternalCodecId()}`;
  if (!(await video.canDecode())) throw dataError(say.cannotDecode(name, nameOfCodec(codec)));
  const [width, height] = [await video.getDisplayWidth(), await video.getDisplayHeight()];
  const { averagePacketRate, packetCount } = await video.computePacketStats(PROBED);
  const rates = await video.computeFrameRateMetrics({ targetPacketCount: PROBED });
  const end = await video.computeDuration();
  const begin = Math.max(0, await input.getFirstTimestamp());
  const duration = end - begin;
  const format = (await input.getFormat()).name;
  const isCutOff = await endIsMissing(file, format);
  if (packetCount === 0 || !(duration > 0))
    throw dataError(isCutOff ? say.incomplete(name) : say.noFrames(name));
  const notes = await notesOf(video);
  if (isCutOff) notes.push(say.endIsMissing);
  const others = (await input.getVideoTracks()).length - 1;
  if (others > 0) notes.push(say.otherTracks(others));
  const tracks = await input.getAudioTracks();
  const sound = await Promise.all(tracks.map((track) => track.getCodec()));
  if (sound.includes(null)) notes.push(say.soundUnknown);
  if (await hasSubtitles(file, format)) notes.push(say.withoutSubtitles);
  const steadyRate =
    packetCount === 1 ? 1 / (end - (await video.getFirstTimestamp())) : rates.bestGuessFrameRate;
  const facts: VideoFacts = {
    ...{ width, height, begin, duration, notes },
    rate: rates.frameRateIsConstant ? steadyRate : averagePacketRate,
    isSteady: rates.frameRateIsConstant,
    frames: packetCount < PROBED ? packetCount : Math.max(1, Math.round(averagePacketRate * duration)),
    format: nameOfFormat(format),
    codec: nameOfCodec(codec),
    sound: sound.flatMap((codec) => (codec ? nameOfCodec(codec) : [])),
  };
  // mediabunny tells Chromium BT.709, which is wrong for most of what is small.
  const { matrix } = await video.getColorSpace();
  const assumedMatrix = matrix ? undefined : usualMatrix(await video.getCodedHeight());
  const known = tracks.filter((_, i) => sound[i] !== null);
  return { name, input, video, isCutOff, assumedMatrix, sound: known, facts };
}

/** What a result of 8 bits in the colours of a screen lacks. */
async function notesOf(video: InputVideoTrack): Promise<string[]> {
  const notes: string[] = [];
  if (await video.hasHighDynamicRange()) notes.push(say.fromHdr);
  else if (await hasDeepColor(video)) notes.push(say.becomesEight);
  if (await video.canBeTransparent()) notes.push(say.losesAlpha);
  return notes;
}

/** More than 8 bits, by the codec's own name: "vp09.02.10.10", "av01.0.04M.10", "hvc1.2.…", "avc1.6e…". */
async function hasDeepColor(video: InputVideoTrack): Promise<boolean> {
  const text = (await video.getCodecParameterString()) ?? "";
  return /^(?:vp09\.\d+\.\d+\.1\d|av01\.\d\.\w+\.1\d|h(?:vc|ev)1\.2|avc[13]\.6e)/i.test(text);
}

const codecNames: Readonly<Record<string, string>> = {
  avc: "H.264",
  hevc: "H.265",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  aac: "AAC",
  opus: "Opus",
  mp3: "MP3",
  vorbis: "Vorbis",
  flac: "FLAC",
  ac3: "AC-3",
  eac3: "E-AC-3",
  prores: "ProRes",
};

const formatNames: Readonly<Record<string, string>> = {
  "QuickTime File Format": "MOV",
  Matroska: "MKV",
  "MPEG Transport Stream": "MPEG-TS",
};

function nameOfFormat(name: string): string {
  return formatNames[name] ?? name;
}

export function nameOfCodec(codec: string): string {
  return codecNames[codec] ?? (codec.startsWith("pcm") ? "PCM" : codec);
}

export function dataError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: "DataError" });
}
