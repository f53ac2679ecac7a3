/** Sentences on what a video becomes, how long that takes, and what it has become. */
import { bytesText } from "../language.ts";
import { dimensions, type Size } from "../size.ts";
import { duration } from "../task-control.ts";
import { say } from "./language.ts";
import type { Conversion, FrameTrial, OpenVideo, OutputChoice, SoundFate } from "./messages.ts";
import { canChooseFile } from "./save-file.ts";
import { lengthText, rateText } from "./texts.ts";

/** What takes longer is called long, in milliseconds. */
const LONG = 1_800_000;

const containerNames = { mp4: "MP4", webm: "WebM" };

export function containerText({ container, codecName }: OutputChoice): string {
  return say.container(containerNames[container], codecName);
}

export function becomesText(from: Size, to: Size): string {
  return say.becomesVideo(dimensions(from), dimensions(to), (to.width | to.height) % 2 === 1);
}

/** About the file `output`, one of `outputs`. */
export function fileText(output: OutputChoice, outputs: readonly OutputChoice[]): string[] {
  const other = outputs.find(
    (choice) => choice !== output && choice.sound.every(({ way }) => way !== "none"),
  );
  const codecsOf = (fate: SoundFate) => [
    ...new Set(output.sound.filter(({ way }) => way === fate).map(({ codec }) => codec)),
  ];
  const [copied, encoded, lost] = [codecsOf("copy"), codecsOf("encode"), codecsOf("none")];
  return [
    say.becomesFile(bytesText(output.bytes)),
    ...(canChooseFile() ? [] : [say.inMemory]),
    ...(copied.length > 0 ? [say.soundCopied(copied)] : []),
    ...(encoded.length > 0 ? [say.soundEncoded(encoded)] : []),
    ...(lost.length > 0 ? [say.soundLost(lost, other && containerNames[other.container])] : []),
  ];
}

export function isLong({ ms }: FrameTrial, { frames }: OpenVideo): boolean {
  return frames * ms > LONG;
}

export function estimateText(trial: FrameTrial, video: OpenVideo): string {
  const text = say.estimate(duration(video.frames * trial.ms), rateText(1000 / trial.ms));
  return isLong(trial, video) ? `${text} ${say.isLong}` : text;
}

/** How it can be watched meanwhile. */
export function liveText({ ms }: FrameTrial, { rate }: OpenVideo): string {
  if (ms > 1000) return say.watchTooSlow;
  if (1000 / ms >= rate) return say.watchable(rateText(rate));
  return say.watchSkips(rateText(1000 / ms), rateText(rate));
}

export function conversionText({ frames, isWhole, damage, failure, bytes, ms, length }: Conversion): string {
  if (frames === 0) return say.stoppedBefore;
  if (damage) return say.damagedAt(lengthText(damage.at), frames, bytesText(bytes));
  if (failure) return say.endedEarly(failure.replace(/\.?$/, "."), frames, bytesText(bytes));
  if (isWhole) return say.converted(frames, duration(ms), bytesText(bytes));
  return say.convertedPart(frames, lengthText(length), bytesText(bytes));
}
