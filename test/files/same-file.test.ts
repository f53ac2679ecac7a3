/** Paths that lead to one file. */
import { linkSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sameFile, statsOf, targetOf } from "../../src/files/same-file.ts";
import { temporaryTree } from "../data/support.ts";

const { path, make } = temporaryTree();
const unix = process.platform !== "win32";

describe("sameFile", () => {
  test("follows links, also hard ones, and compares missing files by their place", () => {
    const real = make("real", "a.png", "b.png");
    symlinkSync(real, path("other"));
    symlinkSync(join(real, "a.png"), path("c.png"));
    linkSync(join(real, "a.png"), path("hard.png"));
    for (const name of ["real/../real/a.png", "other/a.png", "c.png", "hard.png"]) {
      expect(sameFile(join(real, "a.png"), path(name)), name).toBe(true);
      expect(sameFile(join(real, "b.png"), path(name)), name).toBe(false);
    }
    expect(sameFile(join(real, "new.png"), path("other", "new.png"))).toBe(true);
    expect(sameFile(join(real, "no", "new.png"), path("other", "no", "new.png"))).toBe(true);
    expect(sameFile(join(real, "new.png"), path("new.png"))).toBe(false);
  });

  test.skipIf(!unix)(
    "follows .. as the system does: out of the folder that a link leads to, and of one that is missing",
    () => {
      const a = make("around", "a.png");
      make("around/inner");
      make("elsewhere", "a.png");
      symlinkSync(path("around", "inner"), path("elsewhere", "link"));
      const through = `${path("elsewhere", "link")}/../a.png`;
      expect(sameFile(through, join(a, "a.png"))).toBe(true);
      expect(sameFile(through, path("elsewhere", "a.png"))).toBe(false);
      expect(targetOf(`${path("elsewhere", "link")}/../new.png`)).toBe(join(realpathSync(a), "new.png"));
      for (const missing of [`${a}/no/../a.png`, `${a}/no/such/../../a.png`]) {
        expect(sameFile(missing, join(a, "a.png")), missing).toBe(true);
        expect(targetOf(missing)).toBe(join(realpathSync(a), "a.png"));
        expect(statsOf(missing)?.isFile()).toBe(true);
      }
    },
  );
});
