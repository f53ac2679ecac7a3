/** How commands end: by signals, by kill -9, and when nobody takes their output. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writePng } from "../../src/data/index.ts";
import { EDSR, saveWeights, setDefaultDevice } from "../../src/node.ts";
import { Random } from "../../src/tensor/random.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { compiledProgram } from "../support/program.ts";
import { root } from "../support/run.ts";
import { shellWith } from "../support/shell.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);
const unix = process.platform !== "win32";
const program = [process.execPath, compiledProgram()];

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Milliseconds since `from`. */
  readonly ms: number;
}

/** Starts a command; `begun` is there when it has written to its temporary file, or after some time. */
function start(args: readonly string[], stdin: "ignore" | "pipe" = "ignore") {
  const [node, ...rest] = [...program, ...args];
  const child = spawn(node, rest, { cwd: root, stdio: [stdin, "ignore", "pipe"], timeout: 50_000 });
  let stderr = "";
  child.stderr!.on("data", (data) => {
    stderr += data;
  });
  let from = performance.now();
  const end = new Promise<End>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, stderr, ms: performance.now() - from })),
  );
  const kill = (signal: NodeJS.Signals) => {
    from = performance.now();
    child.kill(signal);
  };
  return { child, end, kill, said: () => stderr };
}

/** Waits for what a program does while it runs. */
const until = async (isSo: () => boolean, { child, said }: ReturnType<typeof start>) => {
  while (!isSo()) {
    const end = child.exitCode ?? child.signalCode;
    if (end !== null) throw new Error(`It has ended (${end}): ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const temporaries = (name: string) =>
  existsSync(path(name)) ? readdirSync(path(name)).filter((file) => file.endsWith(".tmp")) : [];

/** In many tiles, each of some milliseconds. */
const slow = (output: string) => [
  ...["upscale", path("large.png"), "-o", path(output, "large.png"), "-m", path("edsr.safetensors")],
  ...["-g", "cpu", "-t", "20"],
];

beforeAll(async () => {
  await writePng(path("large.png"), noise(80, 60, 3));
  setDefaultDevice(float32Device());
  const edsr = new EDSR({ scale: 2, blocks: 1, channels: 8, random: new Random(1) });
  writeFileSync(path("edsr.safetensors"), await saveWeights(edsr));
});

describe.skipIf(!unix)("upscale in the middle of a picture", () => {
  test.each([
    [["SIGINT"], 130],
    [["SIGTERM"], 143],
    [["SIGHUP"], 129],
    [["SIGINT", "SIGINT"], 130],
  ] as const)("%j: nothing is left", async (signals, code) => {
    const name = signals.join();
    mkdirSync(path(name));
    const running = start(slow(name));
    await until(() => temporaries(name).length > 0, running);
    for (const signal of signals) running.kill(signal);
    // Twice, and it dies by the signal, which shells report by the same number.
    const { code: ended, signal } = await running.end;
    expect(ended ?? 128 + constants.signals[signal!]).toBe(code);
    if (signals.length === 1) expect(signal).toBe(null);
    expect(readdirSync(path(name))).toEqual([]);
  });

  test("kill -9, and the same command again: the whole picture, and nothing else", async () => {
    mkdirSync(path("killed"));
    mkdirSync(path("calm"));
    const running = start(slow("killed"));
    await until(() => temporaries("killed").length > 0, running);
    running.kill("SIGKILL");
    await running.end;
    expect(temporaries("killed")).toHaveLength(1);
    expect(await start(slow("killed")).end).toMatchObject({ code: 0 });
    expect(await start(slow("calm")).end).toMatchObject({ code: 0 });
    expect(readdirSync(path("killed"))).toEqual(["large.png"]);
    const [killed, calm] = ["killed", "calm"].map((name) => readFileSync(path(name, "large.png")));
    expect(killed.equals(calm)).toBe(true);
  });
});

describe.skipIf(!unix)("one Ctrl-C is heard", () => {
  /** Waits until a program has started and has nothing to do but wait, however busy the machine is. */
  const awaken = async (child: ChildProcess) => {
    const stat = `/proc/${child.pid}/stat`;
    let before: string | undefined;
    for (let calm = 0; calm < 10; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(child.exitCode).toBe(null);
      // Behind the program's name: its state, which is S while it sleeps, and further on its processor time.
      const fields = existsSync(stat) ? readFileSync(stat, "utf8").split(") ")[1].split(" ") : ["S"];
      const now = [fields[0], fields[11], fields[12]].join();
      calm = fields[0] === "S" && now === before ? calm + 1 : 0;
      before = now;
    }
  };

  test("by video that waits for its first frame", async () => {
    const { child, end, kill } = start(["upscale", "-i", "-", "-o", "-", "-m", "bicubic"], "pipe");
    await awaken(child);
    kill("SIGINT");
    const { code, stderr, ms } = await end;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "Stopped.\n" });
    expect(ms).toBeLessThan(20_000); // and not when it is ended from outside
  });

  test("by info while it measures", async () => {
    const running = start(["info"]);
    await until(() => running.said().includes("Measuring"), running);
    running.kill("SIGINT");
    const { code, signal } = await running.end;
    expect(code ?? signal).toBe("SIGINT"); // it does not listen, and so dies by the signal
  });
});

describe.skipIf(!existsSync("/dev/full"))("output that nobody takes", () => {
  /** Runs a line of the shell in which $PG is the program. */
  const shell = (line: string) => {
    const child = spawn("bash", ["-c", line], {
      cwd: folder,
      env: { ...process.env, PG: program.join(" ") },
      timeout: 50_000,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => {
        output += data;
      });
    }
    return new Promise<{ code: number | null; output: string }>((resolve) =>
      child.once("close", (code) => resolve({ code, output: output.trim() })),
    );
  };

  beforeAll(async () => {
    mkdirSync(path("hr"));
    for (let k = 0; k < 3; k++) await writePng(path("hr", `${k}.png`), noise(30, 24, 3, k));
    const frame = Buffer.concat([Buffer.from("FRAME\n"), Buffer.alloc((320 * 240 * 3) / 2, 100)]);
    const header = Buffer.from("YUV4MPEG2 W320 H240 F25:1 Ip C420jpeg\n");
    writeFileSync(path("in.y4m"), Buffer.concat([header, ...new Array(12).fill(frame)]));
  });

  test("a full disk is one line and exit code 1", async () => {
    expect(await shell("$PG evaluate --hr hr -s 2 -m bicubic > /dev/full")).toEqual({
      code: 1,
      output: "standard output cannot be written: the disk is full.",
    });
  });

  test("a reader that has seen enough ends the program as SIGPIPE does, without a word", async () => {
    const line = "$PG evaluate --hr hr -s 2 -m bicubic | true; exit $" + "{PIPESTATUS[0]}";
    expect(await shell(line)).toEqual({ code: 141, output: "" });
  });

  test("for video it is said how much was lost", async () => {
    const line =
      "$PG upscale -i - -o - -m bicubic < in.y4m | head -c 1000 > /dev/null; exit $" + "{PIPESTATUS[0]}";
    const { code, output } = await shell(line);
    expect(code).toBe(141);
    expect(output).toMatch(
      /the program that was to read the video has ended after \d+ frames .*The rest is lost/,
    );
  });

  test.each([">>", "1<>"])("the file that is read is not written by the shell's %s", async (redirection) => {
    copyFileSync(path("in.y4m"), path("both.y4m"));
    const video = await shell(`$PG upscale -i - -o - -m bicubic < both.y4m ${redirection} both.y4m`);
    expect(video).toMatchObject({ code: 2, output: expect.stringContaining("/dev/stdout is an input") });
    expect(readFileSync(path("both.y4m"))).toEqual(readFileSync(path("in.y4m")));
    copyFileSync(path("hr", "0.png"), path("both.png"));
    const picture = await shell(`$PG upscale both.png -o /dev/stdout -m bicubic ${redirection} both.png`);
    expect(picture).toMatchObject({ code: 2, output: expect.stringContaining("/dev/stdout is an input") });
    expect(readFileSync(path("both.png"))).toEqual(readFileSync(path("hr", "0.png")));
  });

  test("nobody to tell of errors is no error", async () => {
    const line = "$PG upscale large.png -o quiet.png -m nearest 2> /dev/full";
    expect(await shell(line)).toEqual({ code: 0, output: "" });
    expect(existsSync(path("quiet.png"))).toBe(true);
  });
});

describe.runIf(process.platform === "linux")("what the system refuses is said in words", () => {
  const shell = shellWith(path("bin-of-refusals"));

  test.each([
    [
      "a folder as standard input",
      "pixelgrad upscale -i - -o - < /tmp",
      "standard input: this is a folder; y4m video",
    ],
    [
      "a current folder that is gone",
      "mkdir gone && cd gone && rmdir ../gone && pixelgrad export espcn",
      "the current folder has been removed. Change into another one.\n",
    ],
    [
      "too many open files",
      "ulimit -n 24; pixelgrad export espcn",
      "too many files are open. Close some, or raise the limit.\n",
    ],
    [
      "a circle of links",
      "ln -s circle circle; pixelgrad evaluate --hr circle -s 2 -m bicubic",
      "circle: cannot be read: its links lead in a circle. Name what they should lead to.\n",
    ],
  ])("%s", async (_, line, message) => {
    const { code, stderr } = await shell(folder, line);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(stderr).toMatch(/^pixelgrad [^\n]*\n$/m);
  });
});

describe.skipIf(!existsSync("/dev/full"))(
  "a report that cannot be written does not hide why the work failed",
  () => {
    const full = /^[^\n]*\/dev\/full: cannot be written: the disk is full\.[^\n]*$/;
    const errorsOf = async (args: readonly string[]) => {
      const { code, stderr } = await start(args).end;
      expect(code).toBe(1);
      return stderr.trim().split("\n");
    };

    test("upscale with --profile, with --json, and with both", async () => {
      writeFileSync(path("cut.png"), readFileSync(path("large.png")).subarray(0, 300));
      const upscale = ["upscale", path("cut.png"), "-o", path("cut-large.png"), "-m", "nearest"];
      const work = /^pixelgrad upscale: .*cut\.png: .*(?:decoded|cut short|ends)/;
      for (const flags of [["--profile"], ["--json"], ["--json", "--profile"]]) {
        const errors = await errorsOf([...upscale, ...flags.flatMap((flag) => [flag, "/dev/full"])]);
        expect(errors).toEqual([work, ...flags.map(() => full)].map((line) => expect.stringMatching(line)));
      }
    });

    test("evaluate and compare with a picture that cannot be measured", async () => {
      mkdirSync(path("partly"));
      await writePng(path("partly", "a.png"), noise(30, 24, 3, 1));
      await writePng(path("partly", "small.png"), noise(12, 12, 3, 1));
      const measure = ["--hr", path("partly"), "-s", "2", "-m", "bicubic"];
      const work = expect.stringMatching(/^pixelgrad \w+: small: not measured/);
      const evaluated = await errorsOf(["evaluate", ...measure, "--json", "/dev/full"]);
      expect(evaluated.slice(-2)).toEqual([work, expect.stringMatching(full)]);
      mkdirSync(path("full"));
      symlinkSync("/dev/full", path("full", "compare.md"));
      writeFileSync(path("full", "compare.json"), JSON.stringify({ title: "", methods: [] }));
      const compared = await errorsOf(["compare", ...measure, "--out", path("full")]);
      expect(compared.slice(-2)).toEqual([
        work,
        expect.stringMatching(/compare\.md: cannot be written: the disk is full/),
      ]);
    });

    test("train", async () => {
      mkdirSync(path("two"));
      for (const i of [1, 2]) await writePng(path("two", `${i}.png`), noise(40, 40, 3, i));
      const train = ["train", "espcn", "--data", path("two"), "--out", path("run"), "--adapter", "cpu"];
      const errors = await errorsOf([...train, "--patch", "100", "--profile", "/dev/full"]);
      expect(errors.slice(-2)).toEqual([
        expect.stringMatching(/^pixelgrad train espcn: Too small .* smaller --patch\.$/),
        expect.stringMatching(full),
      ]);
    });
  },
);

describe("measurements that are stopped leave the figures that are finished", () => {
  beforeAll(async () => {
    mkdirSync(path("set"));
    for (let k = 0; k < 6; k++) await writePng(path("set", `${k}.png`), noise(200, 160, 3, k));
  });

  /** Runs a command until it has written some text, stops it, and returns its exit code. */
  async function stopAt(text: string, args: readonly string[]): Promise<number | null> {
    const [node, ...rest] = [...program, ...args];
    const child = spawn(node, rest, { cwd: root, timeout: 50_000 });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => {
        const isNew = !output.includes(text);
        output += data;
        if (isNew && output.includes(text)) child.kill("SIGTERM");
      });
    }
    return new Promise((resolve) => child.once("close", resolve));
  }

  test.runIf(unix)("evaluate", async () => {
    const args = ["evaluate", "--hr", path("set"), "-m", path("edsr.safetensors"), "-g", "cpu"];
    expect(await stopAt("\n0 ", [...args, "--json", path("e.json")])).toBe(128 + constants.signals.SIGTERM);
    const { images, stopped } = JSON.parse(readFileSync(path("e.json"), "utf8"));
    expect(images[0].name).toBe("0");
    expect(images.length).toBeLessThan(6);
    expect(stopped).toEqual({ of: 6 });
  });

  test.runIf(unix)("compare", async () => {
    const args = [
      "compare",
      "--hr",
      path("set"),
      "-m",
      "bicubic",
      "-m",
      path("edsr.safetensors"),
      "-g",
      "cpu",
    ];
    const code = await stopAt("(2 of 2)", [...args, "--out", path("compared")]);
    expect(code).toBe(128 + constants.signals.SIGTERM);
    const { methods, stopped } = JSON.parse(readFileSync(path("compared", "compare.json"), "utf8"));
    expect([methods.length, methods[0].method, methods[0].images.length]).toEqual([1, "bicubic", 6]);
    expect(stopped).toEqual({ of: 2 });
    expect(readFileSync(path("compared", "compare.md"), "utf8")).toContain(
      "Stopped; 1 of 2 methods measured.",
    );
  });
});
