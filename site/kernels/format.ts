/** Numbers for people. */
import { type LanguageCode, language } from "../languages.ts";

export class Numbers {
  readonly #language: () => LanguageCode;

  /** Browsers take long to make one. */
  readonly #formats = new Map<string, Intl.NumberFormat>();

  constructor(language: () => LanguageCode) {
    this.#language = language;
  }

  flops(perSecond: number): string {
    return perSecond >= 1e12
      ? `${this.digits(perSecond / 1e12, 3)} TFLOP/s`
      : `${this.significant(perSecond / 1e9)} GFLOP/s`;
  }

  bytes(perSecond: number): string {
    return `${this.significant(perSecond / 1e9)} GB/s`;
  }

  ms(ms: number): string {
    if (ms >= 1000) return `${this.significant(ms / 1000)} s`;
    return ms < 1 ? `${this.significant(1000 * ms)} µs` : `${this.significant(ms)} ms`;
  }

  percent(share: number): string {
    const percent = 100 * share;
    return `${percent < 10 ? this.digits(percent, 2) : this.integer(percent)} %`;
  }

  times(ratio: number): string {
    return `${ratio < 10 ? this.digits(ratio, 2) : this.integer(ratio)}×`;
  }

  /** Three digits, or more before the point. */
  significant(value: number): string {
    return value >= 100 ? this.integer(value) : this.upTo(value, 3);
  }

  integer(value: number): string {
    return this.#format({}).format(Math.round(value));
  }

  /** As many digits as that, without zeros at the end. */
  upTo(value: number, digits: number): string {
    return this.#format({ maximumSignificantDigits: digits, useGrouping: false }).format(value);
  }

  /** Of a number that may be tiny. */
  exponential(value: number): string {
    return value === 0 ? "0" : value.toExponential(1).replace(".", this.#point);
  }

  /** So many digits, zeros included. */
  digits(value: number, digits: number): string {
    return this.#format({
      ...{ minimumSignificantDigits: digits, maximumSignificantDigits: digits },
      useGrouping: false,
    }).format(value);
  }

  #format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = this.#language() + JSON.stringify(options);
    const format = this.#formats.get(key) ?? new Intl.NumberFormat(this.#language(), options);
    this.#formats.set(key, format);
    return format;
  }

  get #point(): string {
    return this.#format({}).format(0.5)[1];
  }
}

/** In the page's language. */
export const numbers = new Numbers(() => language);
