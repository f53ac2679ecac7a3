import { ArgumentError } from "../options/arguments.ts";

/**
 * Something is wrong with a picture, a file or a folder. The message begins with its name. What lies in memory has
 * none: then it is `caller`, the function that got it.
 */
export class DataError extends Error {
  override name = "DataError";
  /** How long the part before the text is. */
  readonly #before: number;

  constructor(text: string, { caller, ...options }: ErrorOptions & { readonly caller?: string } = {}) {
    super(caller === undefined ? text : `${caller}: ${text}`, options);
    this.#before = this.message.length - text.length;
  }

  /** The message without the caller, for people who have called no function. */
  get text(): string {
    return this.message.slice(this.#before);
  }
}

/** An error's message without the function that it begins with, if it does. */
export function textOf(error: Error): string {
  return error instanceof ArgumentError || error instanceof DataError ? error.text : error.message;
}
