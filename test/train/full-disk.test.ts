/** A run on a disk without room: what it has learned matters, and drawings can wait. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { resume, type TrainConfig, train } from "../../src/train/index.ts";
import { lockFile } from "../../src/train/run-lock.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { shellWith } from "../support/shell.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();
const network = { architecture: "ESPCN", scale: 2, filters: [4, 2], activation: "relu", residual: false };
let data: string;

beforeAll(async () => {
  data = await picturesIn(unused(), 3);
});

/** Trains with a file of the run on a disk without room from the beginning; all messages, and the error. */
async function trainWithout(...names: string[]) {
  const config = { ...tiny, network, data: [data], out: unused(), evalEvery: 2 } as TrainConfig;
  const out = config.out!;
  const said: string[] = [];
  const onMessage = (line: string) => {
    said.push(line);
    // /dev/full is a disk without room.
    if (line.startsWith("Results: ")) for (const name of names) symlinkSync("/dev/full", join(out, name));
  };
  const error = await train(config, { device, onMessage }).then(
    () => undefined,
    (reason) => reason,
  );
  return { out, said, error };
}

describe.skipIf(!existsSync("/dev/full"))("without room", () => {
  test("for a drawing, a run goes on and says so; resumed at its end, it draws", async () => {
    for (const name of ["report.html", "curves.svg", "comparison.png"]) {
      const { out, said, error } = await trainWithout(name);
      expect(error).toBeUndefined();
      const path = join(out, name);
      const line =
        `${path}: cannot be written: the disk is full. Make room there, or choose another folder. What is complete ` +
        `is kept. Training goes on without it; the next evaluation, or \`resume\` ${out}, draws it anew`;
      expect(said).toContain(line);
      expect(readdirSync(out)).toEqual(expect.arrayContaining(["best.safetensors", "last.safetensors"]));
      unlinkSync(path);
      await resume(out, { device });
      expect(statSync(path).size).toBeGreaterThan(100);
    }
  });

  test("for weights, it ends and says what is saved and how to go on", async () => {
    const { out, error } = await trainWithout("last.safetensors");
    expect(error.message).toBe(
      `${join(out, "last.safetensors")}: cannot be written: the disk is full. Make room there, or choose another ` +
        `folder. What is complete is kept. The run in ${out} is saved up to step 0: go on by \`resume\` ${out} when it ` +
        "can be written again.",
    );
    unlinkSync(join(out, "last.safetensors"));
    await resume(out, { device });
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("6 of 6");
  });
});

test.skipIf(process.platform === "win32")("a lock that cannot be written leaves no empty file", async () => {
  const out = unused();
  await train({ ...tiny, network, data: [data], out, evalEvery: 2 } as TrainConfig, { device });
  rmSync(join(out, lockFile), { force: true });
  // Files may have no byte.
  const line = `ulimit -f 0; pixelgrad train --resume ${out} --steps 8`;
  const { code, stderr } = await shellWith(unused())(data, line);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`${out}: cannot be written: EFBIG`),
  });
  expect(existsSync(join(out, lockFile))).toBe(false);
});
