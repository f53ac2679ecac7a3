// How far a long job has come: a bar that redraws itself in a terminal, single lines in a log file.
import { ArgumentError } from "../options/arguments.ts";
import { printable } from "../options/printable.ts";

export interface ProgressOptions {
  /** Steps of the whole run. */
  total: number;
  /** Steps that an earlier process has done; 0 by default. They do not count for the speed. */
  start?: number;
  /** What is counted; "steps" by default. */
  unit?: string;
  /** Where to write; standard output by default. */
  stream?: ProgressStream;
}

/** The part of a Node output stream that is needed here. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  /** Width of the terminal in characters; missing or 0 if unknown. */
  columns?: number;
}

/** Seconds between two drawings of the bar: eyes need no more, and the job should not wait for them. */
const REDRAW_INTERVAL = 0.1;
/** Seconds between two lines where the stream is not a terminal. */
const LINE_INTERVAL = 5;
/** Seconds after which a step counts for the speed only a third (1/e) of what the latest one does. */
const MEMORY = 10;
const MAX_BAR_WIDTH = 30;

/**
 * Shows step and total, the speed, values by name and the time left, such as
 * ` 12%  36000/300000  10.4 steps/s  loss 0.02131  lr 1e-4  ETA 7h03m`: in a terminal as one line with a bar,
 * drawn again and again, elsewhere as a plain line every few seconds.
 *
 * ```
 * const progress = new Progress({ total: 1000 });
 * for (let step = 1; step <= 1000; step++) progress.update(step, { loss, lr });
 * progress.done();
 * ```
 */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #startTime = now();
  #time = this.#startTime;
  #step: number;
  #values: Readonly<Record<string, number | string>> = {};
  // Steps and seconds so far, older ones faded. Their ratio is a smoothed speed from the first step on.
  #steps = 0;
  #seconds = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor({ total, start = 0, unit = "steps", stream = process.stdout }: ProgressOptions) {
    if (!(total > 0 && start >= 0 && start <= total)) {
      throw new ArgumentError(
        "Progress",
        `step ${start} of ${total}. Give a total above 0 and a start within it.`,
      );
    }
    this.#options = { total, start, unit, stream };
    this.#step = start;
  }

  /** Reports that `step` steps are done, with values to show, such as `{ loss, lr }`; texts as they are. */
  update(step: number, values: Readonly<Record<string, number | string>> = {}): void {
    const time = now();
    const fade = Math.exp((this.#time - time) / MEMORY);
    this.#steps = this.#steps * fade + (step - this.#step);
    this.#seconds = this.#seconds * fade + (time - this.#time);
    this.#step = step;
    this.#time = time;
    this.#values = values;
    const { stream, total } = this.#options;
    if (step === total && !stream.isTTY) return; // done() says it, and a line cannot be drawn again
    const interval = stream.isTTY ? REDRAW_INTERVAL : LINE_INTERVAL;
    if (time - this.#shownAt >= interval) this.#show();
  }

  /** Leaves the time since the last update out of the speed. For work between steps: an evaluation, say. */
  skip(): void {
    this.#time = now();
  }

  /** Prints a line of its own, above the bar. */
  log(line: string): void {
    const { stream } = this.#options;
    const bar = stream.isTTY === true && !this.#ended;
    const text = printable(line);
    stream.write(bar ? `\r${text}\x1b[K\n` : `${text}\n`);
    if (bar) this.#show();
  }

  /** Shows the last state and the time it all took, and ends the line. Call it also if the job breaks off. */
  done(): void {
    if (this.#ended) return;
    this.#show(now() - this.#startTime);
    this.#ended = true;
    if (this.#options.stream.isTTY) this.#options.stream.write("\n");
  }

  /** Removes the bar, for programs that report the outcome in a line of their own. */
  clear(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#options.stream.isTTY) this.#options.stream.write("\r\x1b[K");
  }

  /** @param took seconds since the start, in the last line; all other lines have the time left instead. */
  #show(took?: number): void {
    const { stream, total, unit } = this.#options;
    const step = this.#step;
    const speed = this.#steps > 0 ? this.#steps / this.#seconds : Number.NaN;
    const status = [
      `${Math.floor((100 * step) / total)}%`.padStart(4),
      `${String(step).padStart(String(total).length)}/${total}`,
      `${formatSpeed(speed)} ${unit}/s`,
      ...Object.entries(this.#values).map(([name, value]) => `${name} ${formatValue(value)}`),
      took === undefined ? `ETA ${formatDuration((total - step) / speed)}` : `took ${formatDuration(took)}`,
    ].join("  ");
    stream.write(
      stream.isTTY ? `\r${withBar(status, step / total, stream.columns || 80)}\x1b[K` : `${status}\n`,
    );
    this.#shownAt = this.#time;
  }
}

function now(): number {
  return performance.now() / 1000;
}

/** A bar and the status behind it. A narrow terminal gets a shorter bar, or none and a cut status. */
function withBar(status: string, fraction: number, columns: number): string {
  const room = columns - 1; // in the last column some terminals already start a new line
  const width = Math.min(MAX_BAR_WIDTH, room - status.length - 1);
  if (width < 5) return status.slice(0, room);
  const full = Math.floor(Math.min(1, fraction) * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${status}`;
}

/** 7s, 1m05s, 1h02m, 3d04h; ? for a time that is not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${pad((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86400)}d${pad((whole % 86400) / 3600)}h`;
}

/** Four digits, trailing zeros included, so that the line does not jump; small numbers as 1e-4, 2.5e-5. */
function formatValue(value: number | string): string {
  if (typeof value === "string") return value;
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 1e-3 ? Number(value.toPrecision(3)).toExponential() : value.toPrecision(4);
}

function formatSpeed(speed: number): string {
  if (!Number.isFinite(speed)) return "?";
  return speed >= 100 ? speed.toFixed(0) : speed.toPrecision(3);
}
