/** Benches explain their flags, and refuse others in a sentence. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runFile } from "../support/run.ts";

test.each(["recording", "loader"])("bench:%s", { timeout: 60_000 }, async (name) => {
  const bench = (...flags: string[]) => runFile(join(root, "bench", `${name}.ts`), flags);
  const help = await bench("--help");
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain(`npm run bench:${name} -- [flags]`);
  const mistyped = await bench("--stps", "3");
  expect(mistyped).toMatchObject({ code: 2, stdout: "" });
  expect(mistyped.stderr.trim()).toMatch(/^npm run bench:\w+: Unknown option '--stps'\. .*$/);
});
