/** Errors on their way from a worker to its page, where they have their class again. */
import { DeviceLostError, GpuError } from "../device/device.ts";
import { ArgumentError } from "../options/arguments.ts";
import { DataError } from "../picture/errors.ts";
import { ShapeError } from "../tensor/shape.ts";
import type { ErrorParts } from "./messages.ts";

const classes = { DeviceLostError, Error, GpuError, RangeError, ShapeError, TypeError };

export function packError(error: unknown): ErrorParts {
  const { name, message, stack, code }: Omit<ErrorParts, "text"> =
    error instanceof Error ? error : new Error(String(error));
  const text = error instanceof ArgumentError || error instanceof DataError ? error.text : message;
  return { name, message, text, stack, ...(typeof code === "string" && { code }) };
}

export function unpackError(sent: ErrorParts): Error {
  const { name, stack, code } = sent;
  const error = withClass(sent);
  if (error.name !== name) error.name = name;
  return Object.assign(error, { stack }, code !== undefined && { code }); // the worker's: where it happened
}

function withClass({ name, message, text }: ErrorParts): Error {
  const caller = text === message ? undefined : message.slice(0, -text.length - ": ".length);
  if (name === "DataError") return new DataError(text, { caller });
  if (name === "RangeError" && caller !== undefined) return new ArgumentError(caller, text);
  const ErrorClass = Object.hasOwn(classes, name) ? classes[name as keyof typeof classes] : Error;
  return new ErrorClass(message);
}
