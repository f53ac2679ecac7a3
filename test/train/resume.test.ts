/** Run folders: where they may lie, who may use them, and what may be damaged in them. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseFlags, UsageError } from "../../src/cli/flags.ts";
import { trainCommand } from "../../src/cli/train.ts";
import { Lock } from "../../src/files/lock.ts";
import { ownProcess, type ProcessId } from "../../src/files/process-id.ts";
import { architectureOf, parseSafetensors, serializeSafetensors } from "../../src/node.ts";
import { DataError } from "../../src/picture/errors.ts";
import {
  type CheckpointState,
  checkpointFile,
  previousCheckpointFile,
  serializeCheckpoint,
} from "../../src/train/checkpoint.ts";
import { readCheckpoint, resume, type TrainConfig, type TrainStatus, train } from "../../src/train/index.ts";
import { readLog } from "../../src/train/run-folder.ts";
import { lockFile, runPlace } from "../../src/train/run-lock.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { runCode } from "../support/run.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();
/** A network that takes little time on the CPU. */
const network = {
  ...{ architecture: "ESPCN", scale: 2, filters: [4, 2], activation: "relu" },
  residual: false, // so that it looks at no picture before the first step
};
let data: string;
/** A finished run, and its weights. */
let finished: string;
let weights: Map<string, unknown>;

const config = (change: Partial<TrainConfig> = {}): TrainConfig => ({
  ...{ ...tiny, network: network as TrainConfig["network"], data: [data], out: unused(), evalEvery: 2 },
  ...change,
});
const weightsIn = (folder: string) =>
  parseSafetensors(readFileSync(join(folder, "last.safetensors"))).tensors;

beforeAll(async () => {
  data = await picturesIn(unused(), 3);
  const one = config();
  await train(one, { device });
  finished = one.out!;
  weights = weightsIn(finished);
});

/** The messages of a call, and its result. */
async function saying<T>(call: (options: { onMessage(line: string): void }) => Promise<T>) {
  const said: string[] = [];
  const result = await call({ onMessage: (line) => said.push(line) });
  return { result, said: said.join("\n") };
}

/** Trains up to a step and stops. */
async function stoppedAt(step: number, one = config()): Promise<string> {
  const stop = new AbortController();
  const { path } = await train(one, {
    device,
    signal: stop.signal,
    onProgress: (status) => status.step === step && stop.abort(),
  });
  return path;
}

/** A folder as it was at the moment of a message, as if the process had been killed then. */
async function killedAt(message: RegExp, one = config()): Promise<string> {
  const copy = unused();
  await train(one, {
    device,
    onMessage: (line) => {
      if (message.test(line) && !existsSync(copy)) cpSync(one.out!, copy, { recursive: true });
    },
  });
  const lock = JSON.parse(readFileSync(join(copy, lockFile), "utf8"));
  writeFileSync(join(copy, lockFile), JSON.stringify(deadOwner(lock)));
  return copy;
}

/** Of the same number, but not this process. */
const deadOwner = (owner: { process: object }) => ({ ...owner, process: { ...owner.process, start: "1" } });

test("checkpoints have no markers, by which weight files are recognized: earlier versions resume them, too", () => {
  expect(weights.has("relu")).toBe(true);
  const { tensors } = parseSafetensors(readFileSync(join(finished, checkpointFile)));
  expect(tensors.has("model.first_part.0.weight")).toBe(true);
  expect([...tensors.keys()].filter((name) => name.endsWith(".relu"))).toEqual([]);
});

test("after an evaluation, the progress has its figure", async () => {
  const seen: TrainStatus[] = [];
  const one = config({ steps: 2, evalEvery: 1 });
  await train(one, { device, onProgress: (status) => seen.push(status) });
  const measured = readLog(one.out!).flatMap(({ step, psnr }) => (psnr === undefined ? [] : [[step, psnr]]));
  expect(measured).toHaveLength(2);
  const [first, second] = measured.map(([, psnr]) => psnr);
  expect(seen.map(({ step, psnr }) => [step, psnr])).toEqual([
    [1, undefined],
    [1, first],
    [2, first],
    [2, second],
  ]);
});

describe("where a run lies is no setting", () => {
  const before = process.cwd();
  let here: string;
  beforeEach(() => {
    here = realpathSync(mkdtempSync(join(tmpdir(), "pixelgrad-here-")));
    process.chdir(here);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(here, { recursive: true, force: true });
  });

  test("begun without out, in any spelling, moved, and from another folder", async () => {
    cpSync(data, "photos", { recursive: true });
    const path = await stoppedAt(1, config({ out: undefined, data: ["photos"] }));
    expect(path).toBe(join("runs", "espcn-x2"));
    expect(JSON.stringify(readCheckpoint(path).state.config)).not.toContain("runs");
    const more = (steps: number) => ({
      device,
      change: (saved: TrainConfig) => ({ ...saved, steps }),
    });
    for (const [i, spelling] of [
      path,
      `./${path}`,
      `${path}/`,
      resolve(path),
      `runs/../${path}//.`,
    ].entries()) {
      expect((await resume(spelling, more(i + 2))).step).toBe(i + 2);
    }
    renameSync(path, "moved");
    mkdirSync("elsewhere");
    process.chdir("elsewhere"); // "photos" is not here
    expect(await resume("../moved", more(7))).toMatchObject({ path: "../moved", step: 7 });
  });

  test("moved together with its pictures", async () => {
    mkdirSync("project");
    process.chdir("project");
    cpSync(data, "photos", { recursive: true });
    const path = await stoppedAt(1, config({ out: "run", data: ["photos"], cache: "cache" }));
    process.chdir(here);
    renameSync("project", "moved");
    process.chdir("moved");
    expect((await resume(path, { device })).step).toBe(6);
    expect(weightsIn(path)).toEqual(weights);
    expect(readdirSync(here)).toEqual(["moved"]);
  });

  test("two that begin at once get two folders, and each is as alone", async () => {
    const runs = [config({ out: undefined }), config({ out: undefined, seed: 4 })];
    const paths = (await Promise.all(runs.map((one) => train(one, { device })))).map(({ path }) => path);
    expect(paths.sort()).toEqual([join("runs", "espcn-x2"), join("runs", "espcn-x2-2")]);
    expect(readdirSync("runs")).toHaveLength(2);
    for (const path of paths) {
      const steps = readFileSync(join(path, "log.jsonl"), "utf8").match(/"step":\d+,"loss"/g);
      expect(steps).toHaveLength(6);
    }
  });

  test("two that begin at once with the same out: one of them is refused", async () => {
    for (const exists of [false, true]) {
      const out = unused();
      if (exists) mkdirSync(out);
      const results = await Promise.allSettled(
        [1, 2].map((seed) => train(config({ out, seed }), { device })),
      );
      const refused = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
      expect(refused).toHaveLength(1);
      expect(refused[0].reason.message).toMatch(/another process is training there|already holds a run/);
    }
  });

  test("a folder that a killed process was about to make is removed by the next run", async () => {
    mkdirSync("runs");
    const mark = ({ place, pid, start }: ProcessId) => `${place}-${pid.toString(36)}-${start}-0123456789ab`;
    const own = ownProcess();
    const left = join("runs", `espcn-x2.${mark({ ...own, pid: 2 ** 30 })}.tmp`);
    const beingMade = join("runs", `espcn-x2.${mark(own)}.tmp`);
    const foreign = join("runs", "espcn-x2.2.tmp");
    for (const folder of [left, beingMade, foreign]) mkdirSync(folder);
    writeFileSync(join(left, checkpointFile), "");
    await train(config({ out: undefined, steps: 1 }), { device });
    expect([left, beingMade, foreign].map(existsSync)).toEqual([false, true, true]);
  });
});

describe("a folder with files of others", () => {
  const others = (...names: string[]): string => {
    const folder = unused();
    mkdirSync(folder);
    for (const name of names) writeFileSync(join(folder, name), "somebody's");
    return folder;
  };

  test("a run beside them touches none, whatever they are called", async () => {
    const names = ["a.png", "notes.tmp", "report.html.old", "thesis.html.tmp"];
    const out = others(...names);
    await train(config({ out }), { device });
    await resume(out, { device, change: (one) => ({ ...one, steps: 8 }) });
    expect(names.map((name) => readFileSync(join(out, name), "utf8"))).toEqual(names.map(() => "somebody's"));
  });

  test.each(["report.html", "comparison.png", "curves.svg", "best.safetensors"])(
    "a %s there is not replaced",
    async (name) => {
      const out = others(name);
      await expect(train(config({ out }), { device })).rejects.toThrow(`already holds`);
      expect(readdirSync(out)).toEqual([name]);
      expect(readFileSync(join(out, name), "utf8")).toBe("somebody's");
    },
  );

  test("the pictures' own folder takes no run, whose charts would be pictures to the next", async () => {
    const before = readdirSync(data);
    for (const change of [{ out: data }, { out: `${data}/../${basename(data)}/` }]) {
      await expect(train(config(change), { device })).rejects.toThrow("is the folder of the pictures");
    }
    expect(readdirSync(data)).toEqual(before);
  });
});

describe("killed before its first checkpoint", () => {
  test("a run begins anew, says so, and ends as if nothing had happened", async () => {
    const killed = await killedAt(/^Results/);
    expect(readdirSync(killed).sort()).toEqual([checkpointFile, lockFile]);
    const { result, said } = await saying((say) => resume(killed, { device, ...say }));
    expect(said).toContain(`${killed}: the run was stopped before its first checkpoint, and begins anew`);
    expect(result.step).toBe(6);
    expect(weightsIn(killed)).toEqual(weights);
    expect(readdirSync(killed).sort()).toEqual(readdirSync(finished).sort());
  });

  test("and after its first steps, with a log already", async () => {
    const killed = await killedAt(/^step 2: /, config({ logEvery: 1 }));
    appendFileSync(join(killed, "log.jsonl"), '{"step":2,"lo');
    expect(readCheckpoint(killed).state.step).toBe(0);
    await resume(killed, { device });
    expect(weightsIn(killed)).toEqual(weights);
    const steps = readFileSync(join(killed, "log.jsonl"), "utf8").match(/"step":\d+,"loss"/g);
    expect(steps).toHaveLength(6);
  });

  test("a new run may take its folder", async () => {
    const killed = await killedAt(/^Results/);
    await train(config({ out: killed, seed: 9 }), { device });
    expect(readCheckpoint(killed).state).toMatchObject({ step: 6, config: { seed: 9 } });
    await expect(train(config({ out: killed }), { device })).rejects.toThrow("already holds a run");
  });

  test("by an earlier version, which left a log alone", async () => {
    const { out: _out, ...settings } = config();
    const old = () => {
      const folder = unused();
      mkdirSync(folder);
      const line = JSON.stringify({ config: settings, adapter: "cpu" });
      writeFileSync(join(folder, "log.jsonl"), `${line}\n{"step":1,"loss":0.1,"lr":0.1}\n`);
      return folder;
    };
    const resumed = old();
    const { said } = await saying((say) => resume(resumed, { device, ...say }));
    expect(said).toContain("begins anew");
    expect(weightsIn(resumed)).toEqual(weights);
    expect((await train(config({ out: old() }), { device })).step).toBe(6);
    // Somebody else's log is not touched.
    const foreign = unused();
    mkdirSync(foreign);
    writeFileSync(join(foreign, "log.jsonl"), "mine\n");
    await expect(train(config({ out: foreign }), { device })).rejects.toThrow(
      "already holds a run (log.jsonl)",
    );
    await expect(resume(foreign, { device })).rejects.toThrow("there is no training to resume");
    expect(readdirSync(foreign)).toEqual(["log.jsonl"]);
    const nonsense = unused();
    mkdirSync(nonsense);
    writeFileSync(join(nonsense, "log.jsonl"), '{"config":{"steps":"many"}}\n');
    await expect(resume(nonsense, { device })).rejects.toThrow("the configuration in its log is damaged");
  });
});

describe("killed between a checkpoint and the first evaluation", () => {
  /** At the checkpoint of step 3, with no weights for use. */
  async function killed(): Promise<string> {
    const copy = unused();
    const one = config({ evalEvery: 6, checkpointEvery: 3, logEvery: 1 });
    await train(one, {
      device,
      onProgress: ({ step }) => {
        if (step === 4)
          cpSync(one.out!, copy, { recursive: true, filter: (path) => !path.endsWith(lockFile) });
      },
    });
    expect(readdirSync(copy).filter((name) => /^(last|best)/.test(name))).toEqual([]);
    expect(readCheckpoint(copy).state.step).toBe(3);
    return copy;
  }
  const upTo = (steps: number) => ({ device, change: (saved: TrainConfig) => ({ ...saved, steps }) });

  test("resuming for no more steps measures the network, and writes its weights", async () => {
    const folder = await killed();
    await expect(resume(folder, upTo(2))).rejects.toThrow(
      "It was stopped before it wrote its last weights for use: `steps` 3 writes them.",
    );
    const { step, best } = await resume(folder, upTo(3));
    expect(step).toBe(3);
    expect(best).toMatchObject({ step: 3 });
    const wanted = readdirSync(finished).filter((name) => name !== previousCheckpointFile);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(wanted));
    const { tensors, metadata } = parseSafetensors(readFileSync(join(folder, "last.safetensors")));
    expect(metadata).toMatchObject({ step: "3", psnr: best!.psnr.toFixed(3) });
    for (const [name, { data }] of readCheckpoint(folder).weights)
      expect(tensors.get(name)!.data).toEqual(data);
    rmSync(join(folder, "best.safetensors"));
    await expect(resume(folder, upTo(2))).rejects.toThrow(
      "What it has learned is in last.safetensors there.",
    );
  });

  test("weights of an earlier step are not called what it has learned", async () => {
    const folder = await killed();
    const last = (step: string) =>
      writeFileSync(join(folder, "last.safetensors"), serializeSafetensors(new Map(), { step }));
    last("0"); // as `init` has them measured and saved
    await expect(resume(folder, upTo(2))).rejects.toThrow("`steps` 3 writes them.");
    last("3");
    await expect(resume(folder, upTo(2))).rejects.toThrow(
      "What it has learned is in last.safetensors there.",
    );
  });

  test("a resumed run that is stopped at once leaves weights", async () => {
    const folder = await killed();
    await resume(folder, { device, signal: AbortSignal.abort() });
    const { metadata } = parseSafetensors(readFileSync(join(folder, "last.safetensors")));
    expect(metadata.step).toBe("3");
  });
});

describe("a folder in which a run is going on", () => {
  test("is refused to others, for a new run, too; afterwards it is free", async () => {
    const one = config({ steps: 4 });
    const refusals: Promise<unknown>[] = [];
    await train(one, {
      device,
      onProgress: ({ step }) => {
        if (step !== 1) return;
        for (const call of [resume(one.out!, { device }), train(config({ out: one.out }), { device })]) {
          refusals.push(call.catch((error) => error));
        }
      },
    });
    for (const error of await Promise.all(refusals)) {
      expect(error).toBeInstanceOf(DataError);
      expect((error as Error).message).toMatch(
        /: another process is training there: process \d+ on \S+ has been .* one run at a time\.$/,
      );
    }
    expect(refusals).toHaveLength(2);
    expect(existsSync(join(one.out!, lockFile))).toBe(false);
    expect((await resume(one.out!, { device })).step).toBe(4);
  });

  test("a run whose lock another process has taken over writes nothing more", async () => {
    const one = config();
    const run = train(one, {
      device,
      onProgress: ({ step }) => {
        const path = join(one.out!, lockFile);
        if (step === 3)
          writeFileSync(
            path,
            JSON.stringify({ token: "other", process: { pid: 1 }, host: "h", since: "now" }),
          );
      },
    });
    await expect(run).rejects.toThrow("another process is training there: process 1 on h");
    expect(readCheckpoint(one.out!).state.step).toBe(2);
  });
});

describe("a lock", () => {
  const empty = () => {
    const folder = unused();
    mkdirSync(folder);
    return folder;
  };
  /** The lock of this process, changed. */
  const lockedBy = (change: (owner: { process: object }) => unknown): string => {
    const folder = empty();
    Lock.create(runPlace(folder));
    const path = join(folder, lockFile);
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))) ?? "");
    return folder;
  };
  const acquire = (folder: string) =>
    saying(({ onMessage }) => Lock.acquire(runPlace(folder), onMessage, { patience: 600 }));

  test("holds while its process lives, and is released once", async () => {
    const folder = empty();
    const lock = Lock.create(runPlace(folder));
    await expect(acquire(folder)).rejects.toThrow("another process is training there");
    lock.release();
    const { result: next } = await acquire(folder);
    lock.release(); // not this one's any more
    expect(existsSync(join(folder, lockFile))).toBe(true);
    next.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.runIf(process.platform === "linux").each([
    [
      "of a process that is gone",
      (owner: { process: object }) => ({ ...owner, process: { ...owner.process, pid: 2 ** 30 } }),
    ],
    ["of an earlier process of the same number, as after a restart of a container", deadOwner],
  ])("%s is void at once", async (_, change) => {
    const folder = lockedBy(change);
    const { result, said } = await acquire(folder);
    expect(said).toBe(""); // it says so before it waits for a sign of life
    result.release();
  });

  test.each<[string, (owner: { process: object }) => unknown]>([
    [
      "before a restart, in another container or on another machine",
      (owner) => ({ ...owner, process: { ...owner.process, place: "00000000" } }),
    ],
    ["that was not written to its end", () => undefined],
  ])("of a process %s is void when it shows no sign of life", async (_, change) => {
    const silent = lockedBy(change);
    const { result, said } = await acquire(silent);
    expect(said).toContain("waiting 0.6 seconds for a sign that it still does");
    result.release();
    const alive = lockedBy(change);
    const acquired = acquire(alive).catch((error) => error);
    await setTimeout(100);
    utimesSync(join(alive, lockFile), new Date(), new Date());
    expect(await acquired).toBeInstanceOf(DataError);
  });

  test("goes with its process, however that ends", async () => {
    const folder = unused();
    mkdirSync(folder);
    const { code } = await runCode(
      `import { Lock } from "./src/files/lock.ts";
       import { runPlace } from "./src/train/run-lock.ts";
       Lock.create(runPlace(${JSON.stringify(folder)}));
       process.exit(3);`,
    );
    expect(code).toBe(3);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("shows signs of life", async () => {
    const folder = empty();
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const lock = Lock.create(runPlace(folder));
    utimesSync(join(folder, lockFile), 1, 1);
    vi.advanceTimersByTime(2_000);
    vi.useRealTimers();
    expect(statSync(join(folder, lockFile)).mtimeMs).toBeGreaterThan(1e6);
    lock.release();
  });
});

describe("damage", () => {
  let folder: string;
  beforeEach(() => {
    folder = unused();
    cpSync(finished, folder, { recursive: true });
  });
  test("fewer steps than the run has done are refused, by the command line as its mistake", async () => {
    const before = readFileSync(file("log.jsonl"));
    const fewer = { device, change: (saved: TrainConfig) => ({ ...saved, steps: 5 }) };
    await expect(resume(folder, fewer)).rejects.toThrow(
      /^resume: `steps` 5 is fewer than the 6 steps that the run/,
    );
    await expect(resume(folder, fewer)).rejects.toThrow(RangeError);
    const command = trainCommand(architectureOf("ESPCN"));
    const context = { program: "train", signal: new AbortController().signal };
    const error = await command.run(parseFlags(command, ["--resume", folder, "--steps", "5"]), context).then(
      () => undefined,
      (cause: Error) => cause,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error!.message).toMatch(
      /^--steps 5 is fewer than the 6 steps that the run in .* has done\. Give a larger number/,
    );
    expect(readFileSync(file("log.jsonl"))).toEqual(before);
    // As many are no mistake: there is nothing left to do.
    const same = { device, change: (saved: TrainConfig) => ({ ...saved, steps: 6 }) };
    expect((await resume(folder, same)).step).toBe(6);
  });

  test.each(["last.safetensors", "best.safetensors"])(
    "a finished run without %s: resuming it measures the network, and writes the file again",
    async (name) => {
      rmSync(file(name));
      const { best } = await resume(folder, { device });
      expect(best).toMatchObject({ step: 6 });
      expect(readCheckpoint(folder).state.best).toEqual(best);
      const { metadata } = parseSafetensors(readFileSync(file(name)));
      expect(metadata).toMatchObject({ step: "6", psnr: best!.psnr.toFixed(3) });
      expect(weightsIn(folder)).toEqual(weights);
    },
  );

  const more = { device, change: (saved: TrainConfig) => ({ ...saved, steps: 8 }) };
  const file = (name: string) => join(folder, name);
  const cut = (name: string, length: number) => truncateSync(file(name), length);
  const flipBit = (name: string, fromEnd: number) => {
    const bytes = readFileSync(file(name));
    bytes[bytes.length - fromEnd] ^= 1;
    writeFileSync(file(name), bytes);
  };
  /** Writes nonsense into the state, as no version of this program would, without a checksum. */
  const edit = (change: (state: never) => unknown) => {
    const { tensors, metadata } = parseSafetensors(readFileSync(file(checkpointFile)));
    const state = JSON.parse(metadata.state);
    const changed = change(state as never);
    const text = typeof changed === "string" ? changed : JSON.stringify(state);
    writeFileSync(
      file(checkpointFile),
      serializeSafetensors(tensors, { pixelgrad: "checkpoint", state: text }),
    );
  };
  const states: [string, (state: never) => unknown][] = [
    ["cut short", (state) => JSON.stringify(state).slice(0, 200)],
    ["null", () => "null"],
    ["without a configuration", (state: { config?: object }) => delete state.config],
    ["without a network", (state: { config: { network?: object } }) => delete state.config.network],
    [
      "of an unknown network",
      (state: { config: { network: object } }) =>
        ((state.config.network as { architecture: string }).architecture = "VDSR"),
    ],
    ["without lengths", (state: { lengths?: object }) => delete state.lengths],
    ["with empty lengths", (state: { lengths: object }) => (state.lengths = {})],
    ["with lengths below 0", (state: { lengths: object }) => (state.lengths = { log: -1, events: 0 })],
    ["without pictures", (state: { pictures?: object }) => delete state.pictures],
    ["without a loader", (state: { loader?: object }) => delete state.loader],
    ["a list", () => "[1]"],
    ["with a number for its pictures", (state: { pictures: unknown }) => (state.pictures = 3)],
    ["with null for its best", (state: { best: unknown }) => (state.best = null)],
    [
      "with a place behind the end",
      (state: { loader: { position: number } }) => (state.loader.position = 1e9),
    ],
    ["with a seed that is none", (state: { loader: { seed: unknown } }) => (state.loader.seed = "x")],
    ["at a step that is none", (state: { step: unknown }) => (state.step = "abc")],
    ["at a step below 0", (state: { step: unknown }) => (state.step = -5)],
    ["at a step after the last", (state: { step: unknown }) => (state.step = 1e9)],
    ["without a time", (state: { seconds: unknown }) => (state.seconds = null)],
    ["with an empty best", (state: { best: unknown }) => (state.best = {})],
  ];

  test.each<[string, () => void]>([
    ["cut short", () => cut(checkpointFile, 300)],
    ["empty", () => cut(checkpointFile, 0)],
    ["with a bit turned in its weights", () => flipBit(checkpointFile, 40)],
    ["that is a weight file", () => cpSync(file("best.safetensors"), file(checkpointFile))],
    [
      "that is a folder",
      () => {
        rmSync(file(checkpointFile));
        mkdirSync(file(checkpointFile));
      },
    ],
    [
      "with values that are not finite",
      () => {
        const whole = readCheckpoint(folder);
        const [name, { shape, data: values }] = [...whole.weights][0];
        const bad = new Map(whole.weights).set(name, { shape, data: values.map(() => Number.NaN) });
        writeFileSync(file(checkpointFile), serializeCheckpoint({ ...whole, weights: bad }));
      },
    ],
    ...states.map(([what, change]): [string, () => void] => [
      `whose state is ${what}`,
      () => edit(change as never),
    ]),
  ])("of a checkpoint %s: the one before it is read", async (_, damage) => {
    damage();
    const { result, said } = await saying(async ({ onMessage }) => readCheckpoint(folder, onMessage));
    expect(result.state.step).toBe(4);
    expect(said).toMatch(/is damaged \(.*\)\. Going on from|without the state of training.* Going on from/);
    expect(said).not.toMatch(/Cannot read|undefined|Unexpected|download it again/); // JavaScript's own words
  });

  test("of a checkpoint: the run goes on from the one before it, with the same result", async () => {
    flipBit(checkpointFile, 40);
    const { said } = await saying((say) => resume(folder, { device, ...say }));
    expect(said).toContain("its checksum differs). Going on from the one before it, of step 4.");
    expect(weightsIn(folder)).toEqual(weights);
    expect(readCheckpoint(folder).state.step).toBe(6);
    // Killed while it was being replaced, on a file system without links.
    rmSync(file(checkpointFile));
    expect((await resume(folder, { device })).step).toBe(6);
  });

  test("of a checkpoint that somebody has edited: one paragraph", async () => {
    edit((state: { config: object }) => {
      state.config = { ...state.config, network: { ...network, filters: [5, 2] } };
    });
    await expect(resume(folder, { device })).rejects.toThrow(
      `${folder}: the checkpoint does not fit this ESPCN: `,
    );
  });

  test.each(["log.jsonl", "run.lock", "report.html", checkpointFile])(
    "a folder called %s: one paragraph",
    async (name) => {
      rmSync(file(name), { force: true });
      mkdirSync(file(name));
      const message = `${file(name)} is a folder, and a run writes a file of that name.`;
      await expect(resume(folder, more)).rejects.toThrow(message);
      await expect(train(config({ out: folder }), { device })).rejects.toThrow(message);
    },
  );

  test("both checkpoints gone, weights left: nothing begins anew over them", async () => {
    for (const name of [checkpointFile, previousCheckpointFile]) rmSync(file(name));
    const before = readdirSync(folder).map((name) => [name, readFileSync(file(name))]);
    await expect(resume(folder, more)).rejects.toThrow(
      `${checkpointFile} is missing, and with it what training needs to go on. Whole in this folder: last.safetensors and best.safetensors.`,
    );
    expect(readdirSync(folder).map((name) => [name, readFileSync(file(name))])).toEqual(before);
  });

  test.each([
    ["a mark that an editor put in front", (text: string) => `\ufeff${text}`],
    ["other bytes as long as it was", (text: string) => "\u0001".repeat(text.length + 9)],
  ])("of a log that is not shorter, by %s: training goes on, and says so", async (_, damage) => {
    writeFileSync(file("log.jsonl"), damage(readFileSync(file("log.jsonl"), "utf8")));
    const { said } = await saying((say) => resume(folder, { ...more, ...say }));
    expect(said).toMatch(
      /log\.jsonl has \d damaged lines?: something else has changed it\. Training goes on/,
    );
    expect(readFileSync(file("log.jsonl"), "utf8").trimEnd().split("\n").at(-1)).toMatch(/^\{"step":\d+,/);
  });

  test("of both checkpoints: one paragraph says what is whole, and the folder stays as it is", async () => {
    cut(checkpointFile, 300);
    flipBit(previousCheckpointFile, 9);
    const before = readdirSync(folder).map((name) => [name, readFileSync(file(name))]);
    const whole = join(folder, "last.safetensors");
    await expect(resume(folder, more)).rejects.toThrow(
      `Whole in this folder: last.safetensors and best.safetensors. Begin a new run with these weights, by \`init\` ${whole} and another \`out\`.`,
    );
    await expect(train(config({ out: folder }), { device })).rejects.toThrow("already holds a run");
    expect(readdirSync(folder).map((name) => [name, readFileSync(file(name))])).toEqual(before);
    expect((await train(config({ init: whole }), { device })).step).toBe(6);
    for (const name of ["last", "best"]) cut(`${name}.safetensors`, 50);
    await expect(resume(folder, more)).rejects.toThrow("Nothing else in the folder is whole");
  });

  test.each<[string, () => void, RegExp | undefined]>([
    [
      "a log with lines that are none",
      () => {
        const lines = readFileSync(file("log.jsonl"), "utf8").split("\n");
        const damaged = [
          '{"st',
          "null",
          "[]",
          '{"step":"x","loss":1}',
          '{"step":1,"loss":{}}',
          ...lines.slice(5),
        ];
        writeFileSync(file("log.jsonl"), damaged.join("\n").padEnd(lines.join("\n").length, "\n"));
      },
      undefined,
    ],
    [
      "a log cut short",
      () => cut("log.jsonl", 50),
      /log\.jsonl has 50 bytes, but \d+ when the checkpoint was made/,
    ],
    ["no log", () => rmSync(file("log.jsonl")), /log\.jsonl has 0 bytes/],
    ["no events", () => rmSync(file("events.out.tfevents.pixelgrad")), /has been changed by something else/],
    [
      "no best weights",
      () => rmSync(file("best.safetensors")),
      /The best weights so far are lost: .*no such file/,
    ],
    ["best weights cut short", () => cut("best.safetensors", 100), /The best weights so far are lost/],
    ["no last weights", () => rmSync(file("last.safetensors")), undefined],
  ])("%s: training goes on", async (_, damage, message) => {
    damage();
    const { result, said } = await saying((say) => resume(folder, { ...more, ...say }));
    expect(result.step).toBe(8);
    if (message) expect(said).toMatch(message);
    expect(existsSync(file("best.safetensors"))).toBe(true);
    for (const line of readFileSync(file("log.jsonl"), "utf8").trim().split("\n").slice(-2)) JSON.parse(line);
    expect(readFileSync(file("report.html"), "utf8")).toMatch(/<\/html>\s*$/);
  });

  test("of no kind: a best network without any error, whose decibels JSON writes as null", async () => {
    edit((state: { best: { psnr: unknown }; psnr: unknown }) => {
      state.best.psnr = null;
      state.psnr = null;
    });
    expect(readCheckpoint(folder).state.best).toEqual({ step: expect.any(Number), psnr: Infinity });
    expect((await resume(folder, more)).best?.psnr).toBeGreaterThan(0);
  });

  test("pictures that are gone leave the folder as it was", async () => {
    appendFileSync(file("log.jsonl"), "half a li");
    const before = readdirSync(folder).map((name) => [name, readFileSync(file(name))]);
    const change = (saved: TrainConfig) => ({ ...saved, data: ["nowhere"] });
    await expect(resume(folder, { device, change })).rejects.toThrow("nowhere: there is no such folder");
    await expect(resume(join(folder, "none"), { device })).rejects.toThrow("none: there is no such folder");
    await expect(resume(file("log.jsonl"), { device })).rejects.toThrow(
      "is a file, and a run is resumed by its folder",
    );
    expect(readdirSync(folder).map((name) => [name, readFileSync(file(name))])).toEqual(before);
  });

  test("a checkpoint without a checksum, as earlier versions wrote it, is read", () => {
    edit(() => undefined);
    const { state } = readCheckpoint(folder);
    expect(state).toMatchObject({ step: 6 } satisfies Partial<CheckpointState>);
    expect(basename(folder)).not.toBe("");
  });
});
