/** Temporary files: their names, and who removes them when. */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { replaceWhole, writeWhole } from "../../src/files/image-files.ts";
import { removeLeftovers, removeTemporary, temporaryFor } from "../../src/files/temporary.ts";
import { temporaryFolder } from "../data/support.ts";
import { root, runCode } from "../support/run.ts";

const folder = temporaryFolder();
let count = 0;
/** A folder that this process has not looked into yet. */
const fresh = () => {
  const path = join(folder, `${count++}`);
  mkdirSync(path);
  return path;
};

test.each([
  ["short", "a.png"],
  ["of 255 bytes", `${"n".repeat(251)}.png`],
  ["of 255 bytes in Japanese", `${"長".repeat(83)}a.png`],
  ["whose cut falls anywhere", `${"é".repeat(120)}x.webp`],
])("a name %s: the temporary file fits, and writing works", async (_, name) => {
  const home = fresh();
  const path = join(home, name);
  let temporary = "";
  await replaceWhole(path, async (own) => {
    temporary = own;
    writeFileSync(own, "whole");
  });
  expect(dirname(temporary)).toBe(home);
  expect(Buffer.byteLength(basename(temporary))).toBeLessThanOrEqual(255);
  expect(basename(temporary).startsWith(name.slice(0, 5))).toBe(true);
  expect(temporary).not.toContain("\ufffd");
  expect(readdirSync(home)).toEqual([name]);
});

test("long names that begin alike have temporary files of their own", async () => {
  const home = fresh();
  const [one, other] = ["a", "b"].map((end) => temporaryFor(join(home, `${"n".repeat(240)}${end}`)));
  const nameOf = (path: string) => basename(path).split(".")[0];
  expect(nameOf(one)).not.toBe(nameOf(other));
  await removeTemporary(one);
  await removeTemporary(other);
});

test("an error leaves nothing", async () => {
  const home = fresh();
  const failed = replaceWhole(join(home, "a"), async (own) => {
    writeFileSync(own, "half");
    throw new Error("no more");
  });
  await expect(failed).rejects.toThrow(/a: cannot be written: no more/);
  expect(readdirSync(home)).toEqual([]);
});

test("where a temporary file cannot be removed, the error is why it could not be written", async () => {
  const closed = fresh();
  const work = replaceWhole(join(closed, "a"), async () => {
    rmSync(closed, { recursive: true });
    writeFileSync(closed, "a file now, so that nothing within it can be removed");
    throw new Error("the reason");
  });
  await expect(work).rejects.toThrow("the reason");
});

test("nor does one that cannot be removed keep the others when the program ends", async () => {
  const [closed, home] = [fresh(), fresh()];
  const { code, stderr } = await runCode(`
    import { rmSync, writeFileSync } from "node:fs";
    import { temporaryFor } from "./src/files/temporary.ts";
    const [closed, home] = ${JSON.stringify([closed, home])};
    for (const folder of [closed, home]) writeFileSync(temporaryFor(folder + "/a"), "");
    rmSync(closed, { recursive: true });
    writeFileSync(closed, "");
  `);
  expect({ code, stderr, left: readdirSync(home) }).toEqual({ code: 0, stderr: "", left: [] });
});

test("nor does a write that waits for a thread when the program ends", async () => {
  const home = fresh();
  const { code } = await runCode(
    `import { pbkdf2 } from "node:crypto";
     import { writeWhole } from "./src/files/image-files.ts";
     pbkdf2("a", "b", 300_000, 32, "sha512", () => {}); // occupies the only thread
     writeWhole(${JSON.stringify(join(home, "a"))}, "whole").catch(() => {});
     setTimeout(() => process.exit(3), 20);`,
    { env: { UV_THREADPOOL_SIZE: "1" } },
  );
  expect(code).toBe(3);
  expect(readdirSync(home)).toEqual([]);
});

/** Begins to write a file in another process, and says when. */
async function writer(path: string) {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", writing, path], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return { pid: child.pid!, kill: (signal: NodeJS.Signals) => child.kill(signal) && ended };
}
const writing = `
  import { writeFileSync } from "node:fs";
  import { temporaryFor } from "./src/files/temporary.ts";
  writeFileSync(temporaryFor(process.argv[1]), "half");
  process.on("SIGTERM", () => process.exit(143));
  console.log("begun");
  setInterval(() => {}, 1000);
`;

test("what kill -9 leaves goes with the next file of that name, and not while its process lives", async () => {
  const home = fresh();
  const path = join(home, "a.png");
  const [killed, living, asked] = [await writer(path), await writer(path), await writer(path)];
  await asked.kill("SIGTERM"); // removes its own
  expect(readdirSync(home)).toHaveLength(2);
  await killed.kill("SIGKILL");
  expect(readdirSync(home)).toHaveLength(2);
  writeFileSync(join(home, "b.png.tmp"), "somebody else's");
  await writeWhole(path, "whole");
  const marks = readdirSync(home).filter((name) => name.startsWith("a.png."));
  expect(marks).toHaveLength(1);
  expect(marks[0]).toContain(`-${living.pid.toString(36)}-`);
  await living.kill("SIGKILL");
  expect(readdirSync(home)).toHaveLength(3); // it was there when this process first looked
});

test("leftovers: only of that output, of processes that have ended, and elsewhere only old ones", () => {
  const home = fresh();
  const path = join(home, "a.png");
  const own = basename(temporaryFor(join(fresh(), "a.png")));
  const [, where, , , random] = /^a\.png\.(\w+)-(\w+)-(\w+)-(\w+)\.tmp$/.exec(own)!;
  const ended = spawnSync(process.execPath, ["-e", ""]).pid.toString(36);
  const names = {
    own,
    ended: `a.png.${where}-${ended}-1-${random}.tmp`,
    ofAnother: `b.png.${where}-${ended}-1-${random}.tmp`,
    numberUsedAgain: `a.png.${where}-${process.pid.toString(36)}-1-${random}.tmp`,
    elsewhere: `a.png.00000000-${ended}-1-${random}.tmp`,
    elsewhereOld: `a.png.00000001-${ended}-1-${random}.tmp`,
    noneOfOurs: "a.png.backup.tmp",
  };
  for (const name of Object.values(names)) writeFileSync(join(home, name), "half");
  utimesSync(join(home, names.elsewhereOld), 1e9, 1e9);
  removeLeftovers(path);
  const kept = Object.entries(names).flatMap(([key, name]) => (existsSync(join(home, name)) ? key : []));
  const isLinux = process.platform === "linux"; // elsewhere, nothing says when a process began
  expect(kept).toEqual([
    "own",
    "ofAnother",
    ...(isLinux ? [] : ["numberUsedAgain"]),
    "elsewhere",
    "noneOfOurs",
  ]);
});

test("a link stays, also one to a file that is not there yet; the temporary file lies beside the target", async () => {
  const [home, far] = [fresh(), fresh()];
  symlinkSync(join(far, "a.png"), join(home, "link.png"));
  for (const text of ["first", "second"]) {
    await replaceWhole(join(home, "link.png"), async (own) => {
      expect(dirname(own)).toBe(far);
      writeFileSync(own, text);
    });
    expect(readFileSync(join(far, "a.png"), "utf8")).toBe(text);
  }
  expect(readdirSync(home)).toEqual(["link.png"]);
  expect(readdirSync(far)).toEqual(["a.png"]);
});

test.skipIf(process.platform === "win32")(
  "a pipe gets the whole once somebody reads it, and stays a pipe",
  async () => {
    const home = fresh();
    const path = join(home, "pipe");
    spawnSync("mkfifo", [path]);
    const bytes = "0123456789".repeat(100_000); // more than a pipe holds
    const written = writeWhole(path, bytes);
    await setTimeout(120);
    const reader = spawn("cat", [path]);
    let read = "";
    reader.stdout.on("data", (data) => {
      read += data;
    });
    const ended = new Promise((resolve) => reader.once("close", resolve));
    await written;
    await ended;
    expect(read === bytes).toBe(true);
    expect(readdirSync(home)).toEqual(["pipe"]);
  },
);

test.skipIf(process.platform === "win32")(
  "a pipe that nobody reads is no reason to wait for ever",
  async () => {
    const home = fresh();
    const path = join(home, "pipe");
    spawnSync("mkfifo", [path]);
    await expect(replaceWhole(path, (temporary) => writeFile(temporary, "x"), 100)).rejects.toThrow(
      "pipe: cannot be written: it is a pipe, and nobody reads it.",
    );
    expect(readdirSync(home)).toEqual(["pipe"]);
  },
);

test.skipIf(!existsSync("/dev/full"))("devices", async () => {
  await writeWhole("/dev/null", "whole");
  await expect(writeWhole("/dev/full", "whole")).rejects.toThrow(/\/dev\/full: .*the disk is full/);
  for (const name of ["/dev/null", "/dev/full"]) expect(existsSync(name)).toBe(true);
  expect(readdirSync("/dev").filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
