// How far a training run has come: a bar that redraws itself in a terminal, single lines in a log file.

export interface ProgressOptions {
  /** Steps of the whole run. */
  total: number;
  /** Steps already done when a run is resumed; 0 by default. They do not count for the speed. */
  start?: number;
  /** Where to write: standard output by default. */
  stream?: ProgressStream;
  /** What is counted, as the speed has it; "steps" by default. */
  unit?: string;
  /** Seconds between lines when the stream is not a terminal; 5 by default. */
  interval?: number;
  /** Current time in milliseconds from any origin; for tests. */
  now?: () => number;
}

/** The part of a Node output stream that is needed here. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  /** Width of the terminal in characters; missing or 0 when it is not known. */
  columns?: number;
}

/** What a line of progress tells. */
export interface Status {
  step: number;
  total: number;
  /** Steps per second; NaN when it is not known yet. */
  speed: number;
  /** What the steps are called; "steps" by default. */
  unit?: string;
  /** Numbers to show by name, for example loss and lr. */
  values: Record<string, number>;
  /** Seconds since the start, in the last line of a run. All others tell the time left instead. */
  took?: number;
}

/** Seconds between two drawings of the bar: eyes need no more, and the training should not wait for them. */
const redrawInterval = 0.1;
/** Seconds after which a step counts for the speed only a third (1/e) of what the present one does. */
const memory = 10;
const maxBarWidth = 30;

/**
 * Shows step and total, the speed, the given values and the time left: in a terminal as one line with a bar,
 * drawn over and over, and elsewhere as a plain line every few seconds.
 *
 * ```
 * const progress = new Progress({ total: 1000 });
 * for (let step = 1; step <= 1000; step++) progress.update(step, { loss, lr });
 * progress.done();
 * ```
 */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #startTime: number;
  #step: number;
  #time: number;
  #values: Record<string, number> = {};
  // Steps and seconds so far, older ones faded. Their ratio is a smoothed speed from the first step on.
  #steps = 0;
  #seconds = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(options: ProgressOptions) {
    const {
      total,
      start = 0,
      unit = "steps",
      stream = process.stdout,
      interval = 5,
      now = () => performance.now(),
    } = options;
    if (!(total > 0 && start >= 0 && start <= total)) {
      throw new RangeError(
        `Progress: step ${start} of ${total}. Give a total above 0 and a start within it.`,
      );
    }
    this.#options = { total, start, unit, stream, interval: stream.isTTY ? redrawInterval : interval, now };
    this.#step = start;
    this.#time = now() / 1000;
    this.#startTime = this.#time;
  }

  /** Tells that `step` steps are done by now, and numbers to show, for example `{ loss, lr }`. */
  update(step: number, values: Record<string, number> = {}): void {
    const time = this.#options.now() / 1000;
    const fade = Math.exp((this.#time - time) / memory);
    this.#steps = this.#steps * fade + (step - this.#step);
    this.#seconds = this.#seconds * fade + (time - this.#time);
    this.#step = step;
    this.#time = time;
    this.#values = values;
    if (time - this.#shownAt >= this.#options.interval) this.#show();
  }

  /** Leaves the time since the last update out of the speed: call it after work that is no step, as an evaluation. */
  skip(): void {
    this.#time = this.#options.now() / 1000;
  }

  /** Prints a line of its own, above the bar. */
  log(line: string): void {
    const { stream } = this.#options;
    const bar = stream.isTTY === true && !this.#ended;
    stream.write(bar ? `\r${line}\x1b[K\n` : `${line}\n`);
    if (bar) this.#show();
  }

  /** Shows the last state with the time it took, and leaves the line. Call it when a run breaks off, too. */
  done(): void {
    if (this.#ended) return;
    this.#show(this.#options.now() / 1000 - this.#startTime);
    this.#ended = true;
    if (this.#options.stream.isTTY) this.#options.stream.write("\n");
  }

  /** Takes the bar away, for programs that tell the outcome in a line of their own. */
  clear(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#options.stream.isTTY) this.#options.stream.write("\r\x1b[K");
  }

  #show(took?: number): void {
    const { stream, total, unit } = this.#options;
    const status = {
      step: this.#step,
      total,
      unit,
      speed: this.#steps / this.#seconds,
      values: this.#values,
      took,
    };
    stream.write(
      stream.isTTY ? `\r${formatBarLine(status, stream.columns || 80)}\x1b[K` : `${formatStatus(status)}\n`,
    );
    this.#shownAt = this.#time;
  }
}

/** A bar and the status behind it; a narrow terminal gets a short bar, or none, and a cut status. */
export function formatBarLine(status: Status, columns: number): string {
  const text = formatStatus(status);
  const room = columns - 1; // in the last column some terminals already start a new line
  const width = Math.min(maxBarWidth, room - text.length - 1);
  return width < 5 ? text.slice(0, room) : `${formatBar(status.step / status.total, width)} ${text}`;
}

/** For example ` 12%  36000/300000  10.4 steps/s  loss 0.02131  lr 1e-4  ETA 7h03m`. */
export function formatStatus({ step, total, speed, unit = "steps", values, took }: Status): string {
  const percent = `${Math.floor((100 * step) / total)}%`;
  return [
    percent.padStart(4),
    `${String(step).padStart(String(total).length)}/${total}`,
    `${formatSpeed(speed)} ${unit}/s`,
    ...Object.entries(values).map(([name, value]) => `${name} ${formatValue(value)}`),
    took === undefined ? `ETA ${formatDuration((total - step) / speed)}` : `took ${formatDuration(took)}`,
  ].join("  ");
}

/** `width` characters, of which `fraction` (0 to 1) are full. */
export function formatBar(fraction: number, width: number): string {
  const full = Math.floor(Math.min(1, Math.max(0, fraction)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
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

/** Four digits, all of them written so that the line does not jump; very small numbers like 1e-4, 2.5e-5. */
export function formatValue(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 1e-3 ? Number(value.toPrecision(3)).toExponential() : value.toPrecision(4);
}

function formatSpeed(speed: number): string {
  if (!Number.isFinite(speed)) return "?";
  return speed >= 100 ? speed.toFixed(0) : speed.toPrecision(3);
}
