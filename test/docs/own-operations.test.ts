/** The programs in docs/own-operations.md are those that `npm run test:package` compiles and runs. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const programs = [...read("docs/own-operations.md").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
  ([, code]) => code,
);

test.each([...["own-operation.ts", "several-outputs.ts", "own-optimizer.ts"].entries()])(
  "%s: %s",
  (i, file) => {
    expect(programs[i]).toBe(read(`test/package/${file}`));
  },
);
