/** A worker thread of Node that stops as docs/library.md says: terminated in the middle, it ends the process. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodePng } from "../../src/data/index.ts";
import { drawnPicture } from "../support/pictures.ts";
import { root, runFile } from "../support/run.ts";

const folder = join(root, ".cache/worker-threads");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, "docs/library.md"), "utf8");
const [, code] = /^```js\n(import \{ parentPort[\s\S]*?)^```$/m.exec(page)!;

const starter = `
import { tsImport } from "tsx/esm/api";
await tsImport("./thread.ts", import.meta.url);
`;

/** Begins, stops when so many tiles are done, and lives on. */
const program = `
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
const worker = new Worker(new URL("./thread.mjs", import.meta.url));
let [tiles, results] = [0, 0];
worker.on("message", (message) => {
  if (message !== "tile") results++;
  else if (++tiles === Number(process.argv[2])) worker.postMessage("stop");
});
const code = await new Promise<number>((done) => worker.once("exit", done));
await sleep(200);
console.log(\`exit \${code}, results \${results}\`);
`;

test.each([1, 5])("stopped after tile %d of 225", async (tile) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "photo.jpg"), await encodePng(drawnPicture(0, 900, 900)));
  const here = code
    .replace('"photo.jpg"', JSON.stringify(join(folder, "photo.jpg")))
    .replace("signal:", 'tile: 64, onProgress: () => parentPort.postMessage("tile"), signal:');
  writeFileSync(join(folder, "thread.ts"), here);
  writeFileSync(join(folder, "thread.mjs"), starter);
  writeFileSync(join(folder, "program.ts"), program);
  const adapter = process.env.PIXELGRAD_TEST_ADAPTERS?.split(",")[0];
  const { code: exit, stdout } = await runFile(join(folder, "program.ts"), [String(tile)], {
    env: adapter ? { PIXELGRAD_ADAPTER: adapter } : {},
  });
  expect(stdout).toMatch(/^exit 0, results 0$/m);
  expect(exit).toBe(0);
});
