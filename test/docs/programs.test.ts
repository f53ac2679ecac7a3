/** The programs in README and the first guides run as they are written; long ones with fewer steps. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodePng, writePng } from "../../src/data/index.ts";
import { drawnPicture } from "../support/pictures.ts";
import { root, runFile } from "../support/run.ts";

// Within the repository, where `pixelgrad` means its sources.
const folder = join(root, ".cache/programs-of-docs");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const programs = [
  "README.md",
  ...["get-started", "library", "train", "upscale"].map((name) => `docs/${name}.md`),
]
  .flatMap((page) =>
    [...readFileSync(join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
      ([, code], i) => [page, i, code] as const,
    ),
  )
  .filter(([, , code], i, all) => all.findIndex(([, , other]) => other === code) === i); // each once

test("there are some", () => {
  expect(programs).toHaveLength(8);
});

test.each(programs)("%s: program %i", async (page, i, code) => {
  const home = join(folder, `${page.replaceAll("/", "-")}-${i}`);
  mkdirSync(join(home, "photos"), { recursive: true });
  writeFileSync(join(home, "photo.jpg"), await encodePng(drawnPicture(0, 12, 12))); // its bytes say what it is
  for (const k of [0, 1]) await writePng(join(home, "photos", `${k}.png`), drawnPicture(k, 64, 64));
  const here = code
    .replaceAll(/"((?:photo|large|edsr|photos)[\w.]*)"/g, (_, name) => JSON.stringify(join(home, name)))
    .replace("step < 1000", "step < 2")
    .replace("(step + 1) % 100", "(step + 1) % 2")
    .replace("steps: 2000", `steps: 1, out: ${JSON.stringify(join(home, "run"))}`);
  writeFileSync(join(home, "program.ts"), here);
  const adapter = process.env.PIXELGRAD_TEST_ADAPTERS?.split(",")[0];
  const { code: exit, stderr } = await runFile(join(home, "program.ts"), [], {
    env: adapter ? { PIXELGRAD_ADAPTER: adapter } : {},
  });
  expect([exit, stderr]).toEqual([0, ""]);
  for (const [, result] of code.matchAll(/(large\.png|edsr(?:\.run)?\.safetensors)/g)) {
    expect(existsSync(join(home, result)), result).toBe(true);
  }
});

test("those of get-started.md are JavaScript, too, as a file first.mjs must be", async () => {
  mkdirSync(folder, { recursive: true });
  for (const [page, i, code] of programs.filter(([page]) => /README|get-started/.test(page))) {
    const file = join(folder, `${page.replaceAll("/", "-")}-${i}.mjs`);
    writeFileSync(file, code);
    expect(await runFile("--check", [file]), page).toMatchObject({ code: 0, stderr: "" });
  }
});
