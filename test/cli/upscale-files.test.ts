/** What `pixelgrad upscale` does with files: which it reads, which it writes, and which it never touches. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseFlags, UsageError } from "../../src/cli/flags.ts";
import { upscaleCommand } from "../../src/cli/upscale.ts";
import { PictureWriter } from "../../src/files/picture-file.ts";
import { DataError } from "../../src/picture/errors.ts";
import { temporaryFolder } from "../data/support.ts";

const root = temporaryFolder();
let folder = "";
let count = 0;
const path = (...parts: string[]) => join(folder, ...parts);
const unix = process.platform !== "win32";

beforeEach(() => {
  folder = join(root, `${count++}`);
  mkdirSync(folder);
  process.chdir(folder);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => process.chdir(before));
const before = process.cwd();

/** Makes small pictures, all different, of the format that their names say, and the folders they lie in. */
async function pictures(...names: string[]): Promise<void> {
  for (const name of names) {
    mkdirSync(dirname(path(name)), { recursive: true });
    seed++;
    const data = Buffer.from(Array.from({ length: 4 * 3 * 3 }, (_, i) => (i * 37 * seed) % 256));
    const [, format] = /\.(png|webp|tif)$/i.exec(name) ?? ["", "jpeg"];
    const bytes = await sharp(data, { raw: { width: 4, height: 3, channels: 3 } })
      .toFormat(format.toLowerCase() as "png")
      .toBuffer();
    writeFileSync(path(name), bytes);
  }
}
let seed = 0;

interface Outcome {
  readonly code: number;
  /** All that was printed, and the failure that ended it. */
  readonly text: string;
}

/** Runs the command in this process, in the folder. */
async function upscale(...args: string[]): Promise<Outcome> {
  let text = "";
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  try {
    const method = args.includes("-m") ? [] : ["-m", "nearest"];
    const flags = parseFlags(upscaleCommand, [...method, ...args]);
    await upscaleCommand.run(flags, { program: "pixelgrad upscale", signal: new AbortController().signal });
    return { code: 0, text };
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DataError || error instanceof RangeError))
      throw error;
    return { code: error instanceof UsageError ? 2 : 1, text: text + error.message };
  }
}

/** All files below a folder. */
function files(name = "."): string[] {
  const found = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? found(join(at, entry.name)) : relative(path(name), join(at, entry.name)),
    );
  return found(path(name)).sort();
}

const json = (name: string) => JSON.parse(readFileSync(path(name), "utf8"));

describe("no original is lost", () => {
  /** Ways to name a folder, or a picture in it, by another path. */
  const spellings: [string, string, () => void][] = [
    ["as it is", "photos/", () => {}],
    ["by a detour", "photos/../photos/", () => {}],
    ["by a link", "link/", () => symlinkSync("photos", path("link"))],
    [
      "by a link to a link",
      "far/",
      () => {
        symlinkSync("photos", path("link"));
        symlinkSync(path("link"), path("far"));
      },
    ],
  ];

  test.each(spellings)("a folder into itself, named %s", async (_, output, make) => {
    await pictures("photos/a.png", "photos/b.png");
    make();
    const before = files("photos").map((name) => readFileSync(path("photos", name)));
    for (const flags of [[], ["--overwrite"]]) {
      const { code, text } = await upscale("photos/", "-o", output, ...flags);
      expect(text).toMatch(/a\.png is an input; --output must name another place/);
      expect(code).toBe(2);
    }
    expect(files("photos")).toEqual(["a.png", "b.png"]);
    expect(files("photos").map((name) => readFileSync(path("photos", name)))).toEqual(before);
  });

  test("links and hard links to the input, as the output, as --json or as --profile", async () => {
    await pictures("a.png");
    const before = readFileSync(path("a.png"));
    symlinkSync("a.png", path("link.png"));
    linkSync(path("a.png"), path("hard.png"));
    symlinkSync("a.png", path("link.json"));
    mkdirSync(path("around/inner"), { recursive: true });
    symlinkSync("around/inner", path("door"));
    linkSync(path("a.png"), path("around/a.png"));
    const detours = ["no/../a.png", "no/such/../../a.png", "door/../a.png"];
    for (const name of ["a.png", "./a.png", "link.png", "hard.png", ...detours]) {
      expect(await upscale("a.png", "-o", name, "--overwrite"), name).toMatchObject({ code: 2 });
    }
    for (const name of ["a.png", "link.png", "hard.png", "link.json"]) {
      for (const flag of ["--json", "--profile"]) {
        const { code, text } = await upscale("a.png", "-o", "new.png", flag, name);
        expect({ code, text }).toEqual({ code: 2, text: expect.stringContaining(`is an input; ${flag}`) });
      }
    }
    expect(readFileSync(path("a.png"))).toEqual(before);
    expect(existsSync(path("new.png"))).toBe(false);
  });

  test("a command line that is refused leaves no --profile, not over weights either", async () => {
    await pictures("a.png");
    writeFileSync(path("net.safetensors"), "weights");
    writeFileSync(path("net.param"), "layers");
    writeFileSync(path("net.bin"), "weights");
    for (const [method, profile] of [
      ["net.safetensors", "net.safetensors"],
      [pathToFileURL(path("net.safetensors")).href, "net.safetensors"],
      ["net.param", "net.bin"],
    ]) {
      const flags = ["-m", method, "--profile", profile];
      for (const args of [
        ["a.png", "-o", "new.png", ...flags],
        ["gone.png", "-o", "new.png", ...flags],
        ["-i", "-", "-o", "-", ...flags],
        ["a.png", "-o", "new.jpg", "--depth", "16", ...flags],
      ]) {
        const { text } = await upscale(...args);
        expect(text).not.toMatch(/Profile:/);
      }
      expect(readFileSync(path(profile), "utf8")).toBe("weights");
    }
    expect(files()).toEqual(["a.png", "net.bin", "net.param", "net.safetensors"]);
  });

  test("a link in the output folder that leads to an input, or to the output of another picture", async () => {
    await pictures("in/a.png", "in/b.png", "in/c.png");
    mkdirSync(path("out"));
    symlinkSync("../in/b.png", path("out", "a.png"));
    symlinkSync("c.png", path("out", "b.png"));
    const before = readFileSync(path("in", "b.png"));
    const { code, text } = await upscale("in/", "-o", "out/", "--overwrite");
    expect(code).toBe(1);
    expect(text).toMatch(/out\/a\.png is an input/);
    expect(text).toMatch(/out\/c\.png would be written twice/);
    expect(readFileSync(path("in", "b.png"))).toEqual(before);
    expect(readlinkSync(path("out", "b.png"))).toBe("c.png"); // the link stays, and its target is new
    expect((await sharp(path("out", "c.png")).metadata()).width).toBe(8);
  });

  test("--json neither replaces an output, nor one that is left alone, nor any other picture", async () => {
    await pictures("a.png", "other.png", "done.png");
    for (const [output, report] of [
      ["new.png", "new.png"],
      ["done.png", "done.png"],
      ["new.png", "other.png"],
    ]) {
      const before = existsSync(path(report)) && readFileSync(path(report));
      expect(await upscale("a.png", "-o", output, "--json", report)).toMatchObject({ code: 2 });
      expect(existsSync(path(report)) && readFileSync(path(report))).toEqual(before);
    }
    mkdirSync(path("folder.json"));
    expect((await upscale("a.png", "-o", "new.png", "--json", "folder.json")).text).toMatch(
      /folder\.json: cannot be written: there is a folder of this name/,
    );
    expect(existsSync(path("new.png"))).toBe(false);
  });

  test.skipIf(!unix)("pipes and devices are written to, again and again", async () => {
    await pictures("a.png");
    for (let k = 0; k < 2; k++) {
      expect(await upscale("a.png", "-o", "/dev/null", "--json", "/dev/null")).toMatchObject({ code: 0 });
    }
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const full = await upscale("a.png", "-o", "/dev/full");
    expect(full).toMatchObject({ code: 1, text: expect.stringMatching(/\/dev\/full: .*the disk is full/) });
    expect(files()).toEqual(["a.png"]);
  });
});

describe("the same command again goes on", () => {
  test("past results that may not be written, in a folder and alone", async () => {
    await pictures("in/a.png", "out/a.png");
    chmodSync(path("out/a.png"), 0o444);
    for (const args of [
      ["in", "-o", "out"],
      ["in/a.png", "-o", "out/a.png"],
    ]) {
      const { code, text } = await upscale(...args);
      expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining("exists and is left alone") });
    }
    const { code, text } = await upscale("in/a.png", "-o", "out/a.png", "--overwrite");
    expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining("marked as read-only") });
  });

  test("beside the pictures, in another format", async () => {
    await pictures("photos/a.png", "photos/b.jpg", "photos/sub/c.png");
    const command = ["photos/", "-r", "-o", "photos/", "-f", "webp"];
    expect(await upscale(...command)).toMatchObject({ code: 0 });
    const whole = files("photos");
    expect(whole).toEqual(["a.png", "a.webp", "b.jpg", "b.webp", "sub/c.png", "sub/c.webp"]);
    rmSync(path("photos", "b.webp"));
    const { code, text } = await upscale(...command, "--json", "again.json");
    expect(code).toBe(0);
    expect(text).toMatch(/a\.webp exists and is left alone$/m);
    expect(text).toMatch(
      /^left out photos\/a\.webp, photos\/sub\/c\.webp \(taken for the results of a\.png, c\.png\)$/m,
    );
    expect(files("photos")).toEqual(whole);
    const reports = json("again.json");
    expect(reports.filter((report: { skipped?: true }) => report.skipped)).toHaveLength(2);
    expect(reports).toContainEqual({
      input: join("photos", "a.webp"),
      leftOut: "taken for the result of a.png",
    });
  });

  /** Width of a picture. */
  const width = async (name: string) => (await sharp(path(name)).metadata()).width;
  const bytesIn = (name: string) =>
    new Map(files(name).map((file) => [file, readFileSync(path(name, file))]));

  test("beside the pictures, what has the name of a result and not its size is an original", async () => {
    for (const [command, format] of [
      [["p/", "-o", "p/"], "png"],
      [["p/", "-o", "p/", "-f", "webp"], "webp"],
      [["p/a.jpg", `p/a.png`, "-o", "p/"], "png"],
    ] as const) {
      rmSync(path("p"), { recursive: true, force: true });
      await pictures("p/a.jpg", `p/a.${format}`);
      if (format === "png") await pictures("p/b.jpg");
      const before = bytesIn("p");
      for (let k = 0; k < 3; k++) {
        const { code, text } = await upscale(...command, ...(k === 2 ? ["--overwrite"] : []));
        const isAmongPictures = command.length !== 4;
        expect({ code, text }).toMatchObject({ code: k === 2 && isAmongPictures ? 1 : 0 });
        expect(text.includes("taken for")).toBe(k > 0 && isAmongPictures);
        expect(await width(`p/a.jpg.${format}`)).toBe(8);
        expect(await width(`p/a.${format}.${format}`)).toBe(8);
      }
      for (const [name, bytes] of before) expect(readFileSync(path("p", name)), name).toEqual(bytes);
    }
  });

  test("beside the pictures, results of other formats and scales are not enlarged again", async () => {
    await pictures("p/a.jpg", "p/c.jpg", "p/c.tif", "p/d.tif");
    const others = (format: string) => ["p/", "-o", "p/", "-f", format];
    await upscale(...others("png"));
    const first = ["a.jpg", "a.png", "c.jpg", "c.jpg.png", "c.tif", "c.tif.png", "d.png", "d.tif"];
    expect(files("p")).toEqual(first);
    await upscale(...others("webp"), "-s", "3");
    const second = ["a.webp", "c.jpg.webp", "c.tif.webp", "d.webp"];
    expect(files("p")).toEqual([...first, ...second].sort());
    for (const name of second) expect(await width(`p/${name}`)).toBe(12);
    const whole = bytesIn("p");
    for (const scale of ["2", "4"])
      expect(await upscale(...others("png"), "-s", scale)).toMatchObject({ code: 0 });
    expect(bytesIn("p")).toEqual(whole);
    // A folder of originals of the format that is asked for: none has a place for its result.
    const { code, text } = await upscale(...others("jpeg"));
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringMatching(/p\/a\.jpg is an input/) });
    expect(files("p")).toEqual([...whole.keys(), "c.jpg.jpg", "c.tif.jpg", "d.jpg"].sort());
  });

  test("beside the pictures, results of a size in pixels are known while that is asked for", async () => {
    await pictures("p/a.jpg");
    const command = ["p/", "-o", "p/", "--width", "5"];
    for (let k = 0; k < 3; k++) {
      const flags = k === 2 ? ["-f", "webp"] : [];
      expect(await upscale(...command, ...flags)).toMatchObject({ code: 0 });
      expect(files("p")).toEqual(["a.jpg", "a.png", ...(k === 2 ? ["a.webp"] : [])]);
    }
  });

  test("beside the pictures, --overwrite replaces nothing: a master beside its half looks like a result", async () => {
    await pictures("p/a.jpg", "far/a.jpg");
    const twice = (name: string) => sharp(path("p", "a.jpg")).resize(8, 6).png().toFile(path(name));
    await twice("p/a.png");
    await twice("far/master.png");
    symlinkSync("../far/master.png", path("p", "b.png"));
    await pictures("p/b.jpg");
    const before = [bytesIn("p"), bytesIn("far")];
    for (const command of [
      ["p/", "-o", "p/"],
      ["p/a.jpg", "p/a.png", "p/b.jpg", "p/b.png", "-o", "p/"],
      ["p/", "-o", "p/", "--width", "8"],
      ["far/", "p/", "-o", "p/"],
    ]) {
      const { code, text } = await upscale(...command, "--overwrite");
      expect({ code, text }, text).toMatchObject({ code: 1 });
      expect(text).toMatch(/[ab]\.png is not replaced: it lies among the pictures, and may be an original\./);
      for (const [name, bytes] of before[0]) expect(readFileSync(path("p", name)), name).toEqual(bytes);
      expect(bytesIn("far")).toEqual(before[1]);
    }
  });

  test("beside the pictures, what is named itself is enlarged", async () => {
    await pictures("p/a.jpg");
    await upscale("p/", "-o", "p/");
    await upscale("p/a.jpg", "p/a.png", "-o", "p/", "-f", "webp");
    expect([await width("p/a.jpg.webp"), await width("p/a.png.webp")]).toEqual([8, 16]);
    // But not into itself.
    expect(await upscale("p/a.jpg", "p/a.png", "-o", "p/")).toMatchObject({ code: 0 });
    expect(files("p")).toEqual(["a.jpg", "a.jpg.webp", "a.png", "a.png.webp"]);
  });

  test("beside the pictures, with two of one name", async () => {
    await pictures("photos/a.png", "photos/a.jpg");
    const command = ["photos/", "-o", "photos/", "-f", "webp"];
    const whole = ["a.jpg", "a.jpg.webp", "a.png", "a.png.webp"];
    for (let k = 0; k < 3; k++) {
      expect(await upscale(...command)).toMatchObject({ code: 0 });
      expect(files("photos")).toEqual(whole);
    }
  });

  test("with a pattern that also matches the folder of the results, or results within the input", async () => {
    await pictures("a.png", "b.png");
    for (let k = 0; k < 3; k++) {
      const inputs = k === 0 ? ["a.png", "b.png"] : ["a.png", "b.png", "out/"];
      expect(await upscale(...inputs, "-o", "out/")).toMatchObject({ code: 0 });
      expect(files()).toEqual(["a.png", "b.png", "out/a.png", "out/b.png"]);
    }
    for (let k = 0; k < 2; k++) {
      expect(await upscale("./", "-r", "-o", "out/")).toMatchObject({ code: 0 });
      expect(files()).toEqual(["a.png", "b.png", "out/a.png", "out/b.png"]);
    }
  });
});

describe("which pictures, and what becomes of the rest", () => {
  test.runIf(unix)("a file that the shell has opened", async () => {
    await pictures("a.png");
    const file = openSync(path("a.png"), "r");
    try {
      expect(await upscale(`/dev/fd/${file}`, "-o", "large.png")).toMatchObject({ code: 0 });
    } finally {
      closeSync(file);
    }
    expect(files()).toEqual(["a.png", "large.png"]);
    expect((await upscale("/dev/null", "-o", "none.png")).text).toMatch(/this is a pipe or a device/);
  });

  test("several inputs: pictures and folders into a folder", async () => {
    await pictures("x/a.png", "b.jpg", "photos/c.png", "photos/deep/d.png");
    expect(await upscale("x/a.png", "b.jpg", "photos/", "-o", "out")).toMatchObject({ code: 0 });
    expect(files("out")).toEqual(["a.png", "b.png", "c.png"]);
    // -i may be repeated, and a picture that is named twice is enlarged once.
    const flags = ["-i", "x/a.png", "-i", "x/../x/a.png", "-i", "photos/", "-r", "-o", "more/"];
    expect(await upscale(...flags)).toMatchObject({ code: 0 });
    expect(files("more")).toEqual(["a.png", "c.png", "deep/d.png"]);
  });

  test("pictures of one name from several folders get those folders", async () => {
    await pictures("x/1.png", "y/1.png", "y/1.jpg", "y/2.png");
    expect(await upscale("x/", "y/", "-o", "out")).toMatchObject({ code: 0 });
    expect(files("out")).toEqual(["2.png", "x/1.png", "y/1.jpg.png", "y/1.png.png"]);
  });

  test("of one name from several folders, all that need it keep their extensions", async () => {
    await pictures("two/a/x.png", "two/b/x.jpg", "two/b/x.png");
    expect(await upscale("two/a/", "two/b/", "-o", "out")).toMatchObject({ code: 0 });
    expect(files("out")).toEqual(["a/x.png", "b/x.jpg.png", "b/x.png.png"]);
  });

  test("where nothing tells two pictures apart, they are named, and the rest is done", async () => {
    await pictures("x/p/1.png", "y/p/1.png", "y/p/2.png");
    const { code, text } = await upscale("x/p/", "y/p/", "-o", "out");
    expect(code).toBe(1);
    expect(text.match(/out\/1\.png would be written twice/g)).toHaveLength(2);
    expect(files("out")).toEqual(["2.png"]);
  });

  test("one that is missing does not stop the others", async () => {
    await pictures("a.png", "b.png");
    const { code, text } = await upscale("a.png", "gone.png", "b.png", "-o", "out", "--json", "r.json");
    expect(code).toBe(1);
    expect(text).toMatch(/gone\.png: there is no such file or folder/);
    expect(text).toMatch(/1 of 3 pictures was not enlarged, for the reasons above: .*gone\.png\.$/);
    expect(files("out")).toEqual(["a.png", "b.png"]);
    expect(json("r.json")).toHaveLength(3);
  });

  test("-r keeps the structure, enters each folder once, and takes no hidden ones", async () => {
    await pictures("in/a.png", "in/s/b.png", "in/s/t/c.jpg", "in/.thumbs/t.png", "elsewhere/d.png");
    symlinkSync("..", path("in", "s", "up"));
    symlinkSync("s", path("in", "again"));
    symlinkSync("../elsewhere", path("in", "linked"));
    const { code, text } = await upscale("in/", "-r", "-o", "out", "--json", "r.json");
    expect(code).toBe(0);
    expect(files("out")).toEqual(["a.png", "linked/d.png", "s/b.png", "s/t/c.png"]);
    expect(text).toMatch(
      /left out \.thumbs \(hidden\), again, s\/up \(a link to a folder that is searched anyway\)/,
    );
    const leftOut = json("r.json").filter((entry: { leftOut?: string }) => entry.leftOut !== undefined);
    expect(leftOut).toHaveLength(3);
  });

  test.skipIf(!unix)(
    "pipes, folders and other files are left out, with a line and an entry in --json",
    async () => {
      await pictures("in/a.png");
      spawnSync("mkfifo", [path("in", "p.png")]);
      mkdirSync(path("in", "d.png"));
      writeFileSync(path("in", "notes.txt"), "");
      const { code, text } = await upscale("in/", "-o", "out", "--json", "r.json");
      expect(code).toBe(0);
      expect(text).toMatch(/^in\/: left out d\.png \(a folder\), notes\.txt \(not .*\), p\.png \(a pipe\)/);
      expect(json("r.json").slice(1)).toEqual([
        { input: join("in", "d.png"), leftOut: "a folder" },
        { input: join("in", "notes.txt"), leftOut: expect.stringMatching(/^not PNG/) },
        { input: join("in", "p.png"), leftOut: "a pipe" },
      ]);
      const pipe = await upscale("in/p.png", "-o", "x.png");
      expect(pipe).toMatchObject({
        code: 1,
        text: expect.stringMatching(/p\.png: this is a pipe or a device/),
      });
    },
  );

  test.skipIf(process.platform !== "linux")(
    "names that are not UTF-8 are named, and the rest is done",
    async () => {
      await pictures("in/a.png");
      const bytes = readFileSync(path("in", "a.png"));
      writeFileSync(
        Buffer.concat([Buffer.from(`${path("in")}/`), Buffer.from("\xe9t\xe9.png", "latin1")]),
        bytes,
      );
      const { code, text } = await upscale("in/", "-o", "out", "--json", "r.json");
      expect(code).toBe(1);
      expect(text).toMatch(/in\/\\xe9t\\xe9\.png: its name is not UTF-8; rename it/);
      expect(files("out")).toEqual(["a.png"]);
      expect(json("r.json")[1]).toMatchObject({
        input: join("in", "\\xe9t\\xe9.png"),
        error: expect.any(String),
      });
    },
  );

  test.skipIf(process.platform !== "linux")("folders and other files whose names are not UTF-8", async () => {
    await pictures("in/a.png");
    const named = (name: string) =>
      Buffer.concat([Buffer.from(`${path("in")}/`), Buffer.from(name, "latin1")]);
    mkdirSync(named("d\xe9r"));
    writeFileSync(Buffer.concat([named("d\xe9r"), Buffer.from("/b.png")]), readFileSync(path("in", "a.png")));
    writeFileSync(named("t\xe9.txt"), "");
    const deep = await upscale("in/", "-r", "-o", "out", "--json", "r.json");
    expect(deep.code).toBe(1);
    expect(deep.text).toMatch(/in\/d\\xe9r: its name is not UTF-8; rename it/);
    expect(deep.text).toMatch(/left out .*t\\xe9\.txt \(not PNG/);
    expect(json("r.json")).toContainEqual({
      input: join("in", "d\\xe9r"),
      error: expect.stringMatching(/its name is not UTF-8/),
    });
    const flat = await upscale("in/", "-o", "out");
    expect(flat).toMatchObject({ code: 0, text: expect.stringMatching(/left out d\\xe9r \(a folder\)/) });
    rmSync(path("in", "a.png"));
    const alone = await upscale("in/", "-r", "-o", "out");
    expect(alone).toMatchObject({
      code: 1,
      text: expect.stringMatching(/d\\xe9r \(its name is not UTF-8; rename it\)/),
    });
  });

  test("names of any kind: line breaks, brackets, percent signs, dashes, 255 bytes", async () => {
    const names = ["line\nbreak.png", "p[1].png", "a%d.png", "-m.png", " .png", `${"長".repeat(83)}aa.png`];
    await pictures(...names.map((name) => `in/${name}`));
    const { code, text } = await upscale("in/", "-o", "out");
    expect(code).toBe(0);
    expect(files("out")).toEqual([...names].sort());
    expect(
      text
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("[")),
    ).toHaveLength(names.length);
    expect(await upscale("in/p[1].png", "-o", "q[Q=1].png")).toMatchObject({ code: 0 });
    expect(files()).toContain("q[Q=1].png");
    // The result's name would be a byte longer than its picture's.
    const { text: long, code: failed } = await upscale("in/", "-o", "webp", "-f", "webp");
    expect(failed).toBe(1);
    expect(long).toMatch(/this name would have 256 bytes, and file systems take 255/);
    expect(files("webp")).toHaveLength(names.length - 1);
  });

  test("what looks like a bug is printed with its stack, and with PIXELGRAD_DEBUG every failure", async () => {
    await pictures("in/a.png", "in/c.png");
    writeFileSync(path("in/b.png"), "no picture");
    const stack = /^ {4}at .+:\d+:\d+/m;
    expect((await upscale("in", "-o", "out")).text).not.toMatch(stack);
    process.env.PIXELGRAD_DEBUG = "1";
    try {
      const { text } = await upscale("in", "-o", "debug", "--json", "debug.json");
      expect(text.split("\n").filter((line) => line.startsWith("["))).toHaveLength(3);
      expect(text).toMatch(stack);
      expect(readFileSync(path("debug.json"), "utf8")).not.toContain("cause");
    } finally {
      delete process.env.PIXELGRAD_DEBUG;
    }
    vi.spyOn(PictureWriter, "create").mockRejectedValue(new TypeError("x is undefined"));
    expect((await upscale("in", "-o", "bug")).text).toMatch(/TypeError: x is undefined\n {4}at /);
    await expect(upscale("in/a.png", "-o", "bug.png")).rejects.toThrow(TypeError);
  });

  test("what headers can tell is told before the first picture is computed", async () => {
    await pictures("in/a.png", "in/b.png");
    writeFileSync(path("in", "z.png"), "no picture");
    mkdirSync(path("out", "b.png"), { recursive: true });
    const { code, text } = await upscale("in/", "-o", "out");
    expect(code).toBe(1);
    const lines = text.split("\n").filter((line) => line.startsWith("["));
    expect(lines[0]).toMatch(/^\[2\/3\] .*b\.png: cannot be written: there is a folder of this name/);
    expect(lines[1]).toMatch(/^\[3\/3\] .*z\.png: not a/);
    expect(lines[2]).toMatch(/^\[1\/3\] .*a\.png {2}8x6/);
  });

  test("a result that its format cannot hold is refused by its header", async () => {
    const wide = sharp({ create: { width: 9000, height: 1, channels: 3, background: "red" } });
    mkdirSync(path("in"));
    await wide.png().toFile(path("in", "wide.png"));
    await pictures("in/a.png");
    const { code, text } = await upscale("in/", "-o", "out", "-f", "webp");
    expect({ code, text }).toEqual({ code: 1, text: expect.stringMatching(/at most 16383 pixels a side/) });
    expect(files("out")).toEqual(["a.webp"]);
  });
});

describe("the name of the output", () => {
  test("one that is not UTF-8 is refused, unless it is there", async () => {
    await pictures("a.png");
    for (const name of ["r\ufffds.png", "d\ufffdr/", "d\ufffdr/a.png"]) {
      const { code, text } = await upscale("a.png", "-o", name);
      expect({ code, text }).toEqual({ code: 1, text: expect.stringMatching(/this name is not UTF-8/) });
    }
    expect(files()).toEqual(["a.png"]);
    mkdirSync(path("d\ufffdr"));
    expect(await upscale("a.png", "-o", "d\ufffdr/")).toMatchObject({ code: 0 });
  });

  test("--json and --profile may lie in the folder that the run makes", async () => {
    await pictures("a.png", "b.png");
    const flags = ["--json", "out/r.json", "--profile", "out/t.json"];
    expect(await upscale("a.png", "b.png", "-o", "out", ...flags)).toMatchObject({ code: 0 });
    expect(files("out")).toEqual(["a.png", "b.png", "r.json", "t.json"]);
    expect(await upscale("a.png", "-o", "new.png", "--json", "no/r.json")).toMatchObject({
      code: 1,
      text: expect.stringMatching(/there is no folder no/),
    });
  });

  test("what enlarges nothing leaves no folder", async () => {
    writeFileSync(path("a.png"), "no picture");
    writeFileSync(path("b.png"), "no picture");
    expect(await upscale("a.png", "b.png", "-o", "new/out")).toMatchObject({ code: 1 });
    expect(existsSync(path("new"))).toBe(false);
  });

  test.skipIf(!unix)("a new folder that cannot be made is told once, before the first picture", async () => {
    await pictures("a.png", "b.png");
    writeFileSync(path("file"), "");
    expect(await upscale("a.png", "b.png", "-o", "file/new")).toEqual({
      code: 1,
      text: "file/new: this folder cannot be made: a part of its path is a file. Name another one.",
    });
  });

  test("a format may be called as its files' extensions", async () => {
    await pictures("a.png");
    expect(await upscale("a.png", "-o", "jfif/", "-f", "jfif")).toMatchObject({ code: 0 });
    expect(await upscale("a.png", "-o", "tif/", "-f", "TIF")).toMatchObject({ code: 0 });
    expect([...files("jfif"), ...files("tif")]).toEqual(["a.jpg", "a.tif"]);
    expect(await upscale("a.png", "-o", "bmp/", "-f", "bmp")).toMatchObject({ code: 2 });
  });

  test.each([
    ["x.tif2", /does not end in \.png, .*\.tiff or \.avif/],
    ["x.gif", /GIF is only read; PNG, JPEG, WebP, TIFF and AVIF are written/],
    ["x.pn", /does not end in \.png/],
    ["x", /does not end in \.png/],
  ])("%s is refused at once", async (name, message) => {
    await pictures("a.png");
    const { code, text } = await upscale("a.png", "-o", `./${name}`);
    expect({ code, text }).toEqual({ code: 2, text: expect.stringMatching(message) });
    expect(files()).toEqual(["a.png"]);
    expect(await upscale("a.png", "-o", `./${name}`, "-f", "png")).toMatchObject({ code: 0 });
  });

  test("several pictures go into a folder, not into the name of a picture or a file", async () => {
    await pictures("a.png", "b.png");
    writeFileSync(path("file.txt"), "");
    for (const name of ["new.png", "file.txt"]) {
      const { code, text } = await upscale("a.png", "b.png", "-o", name);
      expect({ code, text }).toEqual({
        code: 2,
        text: expect.stringMatching(/there are several inputs, so --output/),
      });
    }
    expect(files()).toEqual(["a.png", "b.png", "file.txt"]);
  });

  test("a slash at the end makes a folder", async () => {
    await pictures("a.png");
    expect(await upscale("a.png", "-o", "new/")).toMatchObject({ code: 0 });
    expect(files("new")).toEqual(["a.png"]);
  });
});
