/** What the first lines of somebody who knows PyTorch come to: for first-lines*.test.ts. */
import { describe, expect, test } from "vitest";

/** PyTorch's line, what one writes, and what comes of it: a value, or a part of the error's message. */
export type Line = readonly [torch: string, write: () => unknown, expected: Outcome];
type Outcome = { readonly gives: unknown } | { readonly says: string };
export const gives = (value: unknown) => ({ gives: value });
export const says = (sentence: string) => ({ says: sentence });

/** Tests for tables of lines, by what they are about. */
export function testLines(tables: Readonly<Record<string, readonly Line[]>>): void {
  describe.each(Object.entries(tables))("%s", (_, lines) => {
    test.each(lines)("%s", async (_, write, expected) => {
      // Awaited in one place, so that it does not matter whether a line is asynchronous.
      const outcome = await Promise.resolve()
        .then(write)
        .then(
          (value) => ({ gives: value }),
          (error: Error) => ({ says: error.message }),
        );
      if ("gives" in expected) expect(outcome).toEqual(expected);
      else expect(outcome).toEqual({ says: expect.stringContaining(expected.says) });
    });
  });
}
