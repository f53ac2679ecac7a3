/** What ends a loader, and what it says of it. */
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { DecodePool } from "../../src/data/decode-pool.ts";
import { openFolder } from "../../src/data/folder.ts";
import { PatchLoader } from "../../src/data/loader.ts";
import { loadHigh } from "../../src/data/pairs.ts";
import { DataError } from "../../src/picture/errors.ts";
import { symmetries } from "../../src/picture/patches.ts";
import { runFile } from "../support/run.ts";
import { folder, onDisk, options, paths, scale, take } from "./loader-support.ts";

describe("failures", () => {
  test("a damaged picture rejects the next() that needs it, by name, and all later ones", async () => {
    const bad = join(folder, "bad.png");
    writeFileSync(bad, readFileSync(paths[6]).subarray(0, 3000));
    const dataset = openFolder([...paths.slice(0, 5), bad], { scale });
    await using loader = new PatchLoader(dataset, { ...options, batch: 1 });
    const names: string[] = [];
    const error = await (async () => {
      for (let k = 0; k < 6; k++) names.push(...(await loader.next()).names);
    })().catch((e) => e);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/bad\.png: this PNG picture of 3000 bytes cannot be decoded/);
    expect(names).not.toContain("bad");
    await expect(loader.next()).rejects.toBe(error);
  });

  test("a patch larger than a picture names the picture", async () => {
    await using loader = new PatchLoader(onDisk(), { ...options, patch: 20, batch: 7 });
    await expect(loader.next()).rejects.toThrow(/p0\.png: a patch of 20x20 does not fit .* 20x18/);
  });

  test.each([
    [
      "exits",
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3));",
    ],
    [
      "throws",
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw Error() });",
    ],
    ["does not start", "throw Error('no');"],
  ])("a thread that %s rejects with the picture it had", async (how, program) => {
    const path = join(folder, `${how.replaceAll(" ", "-")}.mjs`);
    writeFileSync(path, program);
    const pool = new DecodePool(1, pathToFileURL(path));
    const format = { scale, colors: "rgb", inputSize: "low" } as const;
    const loads = [0, 1].map((i) => pool.load({ name: `p${i}`, high: paths[i] }, format));
    await expect(loads[0]).rejects.toThrow(DataError);
    await expect(loads[0]).rejects.toThrow(/p0\.png: the thread that was reading it died \(.+\)\. .*alone/);
    if (how === "throws") await expect(loads[0]).rejects.toThrow("died (Error)"); // it has no text
    await expect(loads[1]).rejects.toThrow(/p1\.png: the thread/);
    await pool.close();
    await expect(pool.load({ name: "p0", high: paths[0] }, format)).rejects.toThrow(/after close/);
  });

  const format = { scale, colors: "rgb", inputSize: "low" } as const;
  const ofSource = (name: string) => JSON.stringify(new URL(`../../src/data/${name}`, import.meta.url).href);

  test("a thread that dies while it cuts blames no picture", async () => {
    const path = join(folder, "dies.mjs");
    writeFileSync(
      path,
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3));",
    );
    const pool = new DecodePool(1, pathToFileURL(path));
    const pair = await onDisk().load(0);
    const place = { x: 0, y: 0, symmetry: symmetries[0] };
    const cuts = [{ pair: { ...pair, pictures: pair }, label: paths[0], place }];
    const error = await pool
      .cut(cuts, { colors: "rgb", patch: 8, zooms: { low: 1, high: scale } })
      .catch((e) => e);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/^The thread that was cutting patches died \(.*\)\. Start again/);
    expect(error.message).not.toMatch(/p0|leave it out/);
    await pool.close();
  });

  test("a thread that has no memory to share a picture names the picture", async () => {
    const path = join(folder, "no-memory.mjs");
    writeFileSync(
      path,
      `await import(${ofSource("decode-worker.dev.mjs")});
       globalThis.SharedArrayBuffer = class { constructor() { throw RangeError("no memory is left"); } };`,
    );
    const pool = new DecodePool(1, pathToFileURL(path));
    const load = pool.load({ name: "p0", high: paths[0] }, format, true);
    await expect(load).rejects.toThrow(/p0\.png: no memory is left/);
    await expect(pool.load({ name: "no", high: "no.png" }, format)).rejects.toThrow(/^no\.png: (?!no\.png)/);
    await pool.close();
  });

  test("an answer that cannot be sent is an error of its picture, and the thread lives on", async () => {
    const path = join(folder, "not-sent.mjs");
    writeFileSync(
      path,
      `import { parentPort } from "node:worker_threads";
       const send = parentPort.postMessage.bind(parentPort);
       let isFirst = true;
       parentPort.postMessage = (answer, memory) => {
         if (isFirst) { isFirst = false; throw new DOMException("", "DataCloneError"); }
         send(answer, memory);
       };
       await import(${ofSource("decode-worker.dev.mjs")});`,
    );
    const pool = new DecodePool(1, pathToFileURL(path));
    await expect(pool.load({ name: "p0", high: paths[0] }, format)).rejects.toThrow("p0.png: DataCloneError");
    expect((await pool.load({ name: "p1", high: paths[1] }, format)).high.width).toBe(70);
    await pool.close();
  });

  test("LR and HR may be one picture", async () => {
    const pool = new DecodePool(1);
    const files = { name: "p0", high: paths[0], degradation: { seed: 1, steps: [] } };
    const { low, high } = await pool.load(files, { ...format, scale: 1 });
    expect(low).toEqual(high);
    await pool.close();
  });

  test("pictures to be degraded share no memory: sending one would take it from the next", async () => {
    const [a, b] = await Promise.all([0, 1].map((i) => loadHigh({ name: `p${i}`, high: paths[i] })));
    expect(a.low.data.buffer).not.toBe(b.low.data.buffer);
    const degradation = { seed: 1, noise: 5 };
    await using loader = new PatchLoader(openFolder(paths, { scale, degradation }), {
      ...options,
      cacheBytes: 0,
    });
    expect(await take(loader, 6)).toHaveLength(6); // Node 24 and later take even memory of no bytes
  });

  test("threads know how many they are, to choose who decodes", async () => {
    const path = join(folder, "how-many.mjs");
    writeFileSync(
      path,
      `import { parentPort } from "node:worker_threads";
       import tsx from ${JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve("tsx/cjs/api")).href)};
       const { sharpSuffices } = tsx.require(${ofSource("../files/resources.ts")}, import.meta.url);
       parentPort.on("message", (request) => {
         if (request === "close") parentPort.close();
         else parentPort.postMessage({ error: \`sharp suffices: \${sharpSuffices()}\` });
       });`,
    );
    for (const [size, suffices] of [
      [1, true],
      [2000, false], // Node's pool has at most 1024
    ] as const) {
      const pool = new DecodePool(size, pathToFileURL(path));
      await expect(pool.load({ name: "p0", high: paths[0] }, format)).rejects.toThrow(
        `suffices: ${suffices}`,
      );
      await pool.close();
    }
  });

  test.concurrent.each([
    ["a loader that was closed", "await loader.next(); await loader.close();"],
    ["an idle loader that was forgotten", "await loader.next();"],
    ["a loader that failed", "await loader.next().then(() => { throw Error('no') }, () => {});"],
  ])("the process ends by itself with %s", async (how, use) => {
    const good = join(folder, "good.png");
    copyFileSync(paths[0], good);
    writeFileSync(join(folder, "cut.png"), readFileSync(good).subarray(0, 900));
    const picture = how.includes("failed") ? "cut.png" : "good.png";
    const source = (name: string) => new URL(`../../src/data/${name}.ts`, import.meta.url).href;
    const script = join(folder, `end-${how.replaceAll(" ", "-")}.mts`);
    writeFileSync(
      script,
      `import { PatchLoader } from ${JSON.stringify(source("loader"))};
       import { openFolder } from ${JSON.stringify(source("folder"))};
       const dataset = openFolder([${JSON.stringify(join(folder, picture))}], { scale: 2 });
       const loader = new PatchLoader(dataset, { batch: 2, patch: 8, seed: 1, workers: 1 });
       ${use}
       console.log("done");`,
    );
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    const run = promisify(execFile)(process.execPath, ["--import", tsx, script], { timeout: 20_000 });
    expect((await run).stdout).toBe("done\n");
  });

  test("close() keeps the process alive until a thread that still reads has ended", async () => {
    const worker = join(folder, "slow.mjs");
    writeFileSync(
      worker,
      `import { parentPort } from "node:worker_threads";
       parentPort.on("message", (request) => {
         if (request === "close") setTimeout(() => parentPort.close(), 200);
         else setTimeout(() => parentPort.postMessage({ error: "no" }), 50);
       });`,
    );
    const script = join(folder, "close.mts");
    writeFileSync(
      script,
      `import { DecodePool } from ${JSON.stringify(new URL("../../src/data/decode-pool.ts", import.meta.url).href)};
       const pool = new DecodePool(1, new URL(${JSON.stringify(pathToFileURL(worker).href)}));
       pool.load({ name: "a", high: "a.png" }, { scale: 2, colors: "rgb", inputSize: "low" }).catch(() => {});
       await pool.close();
       console.log("done");`,
    );
    const { code, stdout } = await runFile(script);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
  });
});
