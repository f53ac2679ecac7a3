/** Errors that the page recognizes: by class and code, whatever the library's sentences are. */
import { expect, test } from "vitest";
import { loadPart, NotLoaded } from "../../site/load-part.ts";
import { inWords } from "../../site/task.ts";
import { say } from "../../site/worker-language.ts";

const failed = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

test("without an adapter, and after the loss of a device", () => {
  const gone = { name: "DeviceLostError", message: say.deviceGone };
  const lost = { name: "DeviceLostError", message: say.deviceLost };
  expect(inWords(failed("Error", "any sentence", { code: "NO_ADAPTER" }))).toEqual(gone);
  expect(inWords(failed("DeviceLostError", "any sentence"))).toEqual(lost);
  expect(inWords(failed("AbortError", "any sentence"))).toEqual(lost);
});

test("a part that did not come is told from a bug with the same class", async () => {
  const load = (error: Error) => loadPart(Promise.reject(error)).catch((reason: Error) => reason);
  const offline = await load(new TypeError("Failed to fetch a module"));
  expect(offline).toBeInstanceOf(NotLoaded);
  expect(inWords(offline as Error)).toEqual({ name: "WorkerError", message: say.fileNotLoaded });
  const bug = new TypeError("the import of x is undefined");
  expect(inWords(bug)).toEqual({ name: "TypeError", message: bug.message });
  const other = new RangeError("not about loading");
  expect(await load(other)).toBe(other);
});

test("all other errors keep their name and their message", () => {
  expect(inWords(failed("DataError", "a.png is damaged"))).toEqual({
    name: "DataError",
    message: "a.png is damaged",
  });
});
