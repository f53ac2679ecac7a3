/** Errors on their way from a worker to its page, where they have their class again. */
import { DeviceLostError, GpuError } from "../device/device.ts";
import { DataError } from "../picture/errors.ts";
import { ShapeError } from "../tensor/shape.ts";
import type { SentError } from "./messages.ts";

const classes = { DataError, DeviceLostError, Error, GpuError, RangeError, ShapeError, TypeError };

export function sentError(error: unknown): SentError {
  const { name, message, stack, code }: SentError = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack, ...(typeof code === "string" && { code }) };
}

export function receivedError({ name, message, stack, code }: SentError): Error {
  const ErrorClass = Object.hasOwn(classes, name) ? classes[name as keyof typeof classes] : Error;
  const error = new ErrorClass(message);
  if (error.name !== name) error.name = name;
  return Object.assign(error, { stack }, code !== undefined && { code }); // the worker's: where it happened
}
