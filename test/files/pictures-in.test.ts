import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { partnersOf, versionsAmong } from "../../src/data/partners.ts";
import { namesOf, stemOf } from "../../src/files/names.ts";
import { describeLeftOut, picturesIn } from "../../src/files/pictures-in.ts";
import { statsWithin } from "../../src/files/same-file.ts";
import { DataError } from "../../src/picture/errors.ts";
import { formatNames, formatOfName } from "../../src/picture/formats.ts";
import { temporaryTree } from "../data/support.ts";

const { folder, path, make } = temporaryTree();
const unix = process.platform !== "win32";

test("names: formats by extension in any case", () => {
  expect(formatNames).toBe("PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM");
  expect(["a.png", "b.PNG", "c.jpg", "d.JPEG", "e.jpe", "f.Jfif", "x/g.webp"].map(formatOfName)).toEqual([
    ...["png", "png", "jpeg", "jpeg", "jpeg", "jpeg", "webp"],
  ]);
  expect(["a.txt", "png", ".png", "a.png.txt", "a.psd", "constructor"].map(formatOfName)).toEqual(
    new Array(6).fill(undefined),
  );
  expect(stemOf("x/a.b.PNG")).toBe("a.b");
});

describe("picturesIn", () => {
  const names = (name: string) => picturesIn(path(name)).pictures.map((file) => basename(file));

  test.skipIf(!unix)("names the folder that may be listed and not entered, and what lies behind it", () => {
    make("closed", "a.png");
    mkdirSync(path("open"));
    writeFileSync(path("open", "b.png"), "");
    mkdirSync(path("open", "closed"));
    writeFileSync(path("open", "closed", "c.png"), "");
    for (const name of [folder, path("open")]) chmodSync(name, 0o755);
    for (const name of [path("closed"), path("open", "closed")]) chmodSync(name, 0o744);
    // Nothing is closed to root.
    const own = process.geteuid!();
    if (own === 0) process.seteuid!(65534);
    else for (const name of [path("closed"), path("open", "closed")]) chmodSync(name, 0o644);
    try {
      expect(() => picturesIn(path("closed"))).toThrow(
        /closed: this folder cannot be read: you may not read it/,
      );
      expect(() => picturesIn(path("closed", "within"))).toThrow(
        /within: cannot be read: you may not read it/,
      );
      expect(() => statsWithin(path("closed", "a.png"))).toThrow(DataError);
      expect(picturesIn(path("open"), undefined, { recursive: true })).toMatchObject({
        pictures: [path("open", "b.png")],
        leftOut: [{ name: "closed", unreadable: true }],
      });
    } finally {
      if (own === 0) process.seteuid!(0);
      for (const name of [path("closed"), path("open", "closed")]) chmodSync(name, 0o755);
    }
  });

  test("takes every extension of its formats in any case, sorted by name", () => {
    make("all", "d.webp", "B.PNG", "c.JpEg", "a.jpg", "e.jpe", "f.jfif");
    expect(names("all")).toEqual(["B.PNG", "a.jpg", "c.JpEg", "d.webp", "e.jpe", "f.jfif"]);
    expect(picturesIn(path("all")).leftOut).toEqual([]);
  });

  test.skipIf(!unix)(
    "takes regular files and links to such, and says why it leaves out the rest",
    async () => {
      make("mixed", "a.png", "notes.txt", "scan.psd", "._a.png", ".DS_Store");
      mkdirSync(path("mixed", "d.png"));
      mkdirSync(path("mixed", "sub"));
      execFileSync("mkfifo", [path("mixed", "f.png")]);
      symlinkSync(path("all", "a.jpg"), path("mixed", "link.jpg"));
      symlinkSync(path("all"), path("mixed", "folder.png"));
      symlinkSync(path("nowhere"), path("mixed", "dangling.png"));
      symlinkSync("circle.png", path("mixed", "circle.png"));
      symlinkSync("/dev/null", path("mixed", "null.png"));
      const server = createServer().listen(path("mixed", "s.png"));
      await new Promise((listening) => server.once("listening", listening));
      const { pictures, leftOut } = picturesIn(path("mixed"));
      server.close();
      expect(pictures).toEqual([path("mixed", "a.png"), path("mixed", "link.jpg")]);
      expect(Object.fromEntries(leftOut.map(({ name, why }) => [name, why]))).toEqual({
        "._a.png": "hidden",
        "circle.png": "a link that leads nowhere",
        "d.png": "a folder",
        "dangling.png": "a link that leads nowhere",
        "f.png": "a pipe",
        "folder.png": "a folder",
        "notes.txt": "not PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM",
        "null.png": "a device",
        "s.png": "a socket",
        "scan.psd": "not PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM",
        sub: "a folder",
      });
    },
  );

  test("enters no folders that systems keep for themselves", () => {
    make("drive", "a.png");
    for (const name of ["@eaDir", "#recycle", "$RECYCLE.BIN", "own"]) {
      mkdirSync(path("drive", name));
      writeFileSync(path("drive", name, "b.jpg"), "");
    }
    const { pictures, leftOut } = picturesIn(path("drive"), undefined, { recursive: true });
    expect(pictures).toEqual([path("drive", "a.png"), path("drive", "own", "b.jpg")]);
    expect(leftOut).toEqual(
      ["#recycle", "$RECYCLE.BIN", "@eaDir"].map((name) => ({ name, why: "a folder of the system's own" })),
    );
  });

  test("says in one short line what was left out, by reason", () => {
    const leftOut = ["e.tif", "f.bmp", "g.bmp", "h.bmp", "i.bmp"].map((name) => ({ name, why: "not PNG" }));
    expect(describeLeftOut("in", [...leftOut, { name: "sub", why: "a folder" }])).toBe(
      "in: left out e.tif, f.bmp, g.bmp and 2 more (not PNG), sub (a folder)",
    );
  });

  test("no folder, a file, and a folder without pictures are errors", () => {
    expect(() => picturesIn(path("absent"))).toThrow(/absent: there is no such folder/);
    expect(() => picturesIn(path("all", "a.jpg"))).toThrow(/a\.jpg: this is a file/);
    expect(() => picturesIn(make("psd", "a.psd"))).toThrow(DataError);
    expect(() => picturesIn(path("psd"))).toThrow(
      /no pictures .*, only a\.psd \(not PNG, JPEG, .* or PPM\)\. .* convert/,
    );
  });

  test("no folder of the system's own, and none behind a hundred others, is advised", () => {
    make("archive");
    make("archive/@eaDir", "a.png");
    make("archive/__MACOSX", "a.png");
    const advice = /\. Check the path, or convert/;
    expect(() => picturesIn(path("archive"))).toThrow(advice);
    for (let i = 0; i < 100; i++) make(`archive/${String(i).padStart(3, "0")}`);
    make("archive/last", "a.png");
    expect(() => picturesIn(path("archive"))).toThrow(advice);
    writeFileSync(path("archive/050/a.png"), "");
    expect(() => picturesIn(path("archive"))).toThrow(/There are some in \S*050: name that/);
  });

  test("a folder without pictures whose subfolders have some leads to these", () => {
    make("nested");
    make("nested/HR", "a.png");
    make("nested/notes", "a.txt");
    expect(() => picturesIn(path("nested"))).toThrow(
      /, only HR, notes \(a folder\)\. There are some in \S*nested[/\\]HR: name that\.$/,
    );
    make("nested/LR", "a.png");
    expect(() => picturesIn(path("nested"))).toThrow(
      / in \S*nested[/\\]HR, \S*nested[/\\]LR: name one of these\.$/,
    );
    expect(picturesIn(path("nested"), undefined, { recursive: true }).pictures).toHaveLength(2);
  });
});

describe("partnersOf", () => {
  const partners = (large: string, small: string[], scale = 2) => partnersOf([large], small, scale)[0];

  test("finds small versions under the names that sets of pictures use", () => {
    for (const small of [
      ...["baby.png", "baby.JPG", "babyx2.png", "baby_x2.png", "babyX2.png", "baby-x2.png", "baby_LR.png"],
      ...[
        "baby_BI_x2.png",
        "baby_LRBI_x2.png",
        "baby_LRBI.png",
        "baby_bicLRx2.png",
        "baby_lr.png",
        "baby_bicubic_x2.png",
      ],
      ...["babyx2m.png", "babyx2d.png", "babyx2w.png", "babyx2w3.png", "baby_2x.png", "baby_x2_LR.png"],
      ...["BABYX2.PNG", "Baby_LR.png", "baby_SRF_2_LR.png", "baby.bmp"],
      ...["baby_LR2.png", "baby_LR_2.png", "baby_LR_bicubic_x2.png", "baby_x2_LR_bicubic.png"],
      ...["baby_bicubic_LR_x2.png", "baby_x2_BI.png", "baby_LR_bicubic.png"],
    ]) {
      expect(partners("high/baby.png", [`low/${small}`]), small).toEqual([`low/${small}`]);
    }
    for (const small of ["baby_LR.png", "babyx2.png", "baby_HRx2.png", "baby.png"]) {
      for (const large of ["baby_HR.png", "baby_GT.png"]) {
        const expected = small.includes("HR") && large.includes("GT") ? [] : [`low/${small}`];
        expect(partners(`high/${large}`, [`low/${small}`]), `${large} ${small}`).toEqual(expected);
      }
    }
  });

  test("HR names may have the scale, too", () => {
    expect(partners("high/baby_HR_x2.png", ["low/baby_LRBI_x2.png"])).toEqual(["low/baby_LRBI_x2.png"]);
    const srf = ["s/img_1_SRF_2_LR.png", "s/img_1_SRF_2_bicubic.png", "s/img_11_SRF_2_LR.png"];
    expect(partners("s/img_1_SRF_2_HR.png", srf)).toEqual([srf[0]]);
    expect(partners("s/img_1_SRF_2_HR.png", ["low/img_1.png"])).toEqual(["low/img_1.png"]);
  });

  test.each([
    ["baby_gt", "baby_lq", "baby_LQ", "baby_lqx2", "baby-lq_x2"],
    [
      "baby",
      "baby_LQ",
      "LR_baby",
      "lq-baby",
      "LRx2_baby",
      "LR_x2_baby",
      "x2_LR_baby",
      "bicLR_baby",
      "BD.baby",
    ],
    [
      "baby",
      "babyBIx2",
      "baby_BDx2",
      "baby_DSx2",
      "babyDN_x2",
      "baby (LR)",
      "baby(LR)",
      "baby (x2)",
      "(LR) baby",
    ],
    [
      "baby",
      "x2_baby",
      "2x-baby",
      "baby_low",
      "baby_lowres",
      "baby_low-res",
      "baby.low resolution",
      "baby (small)",
    ],
    ["baby", "small_baby", "baby_bicubic", "baby_small_x2", "input_baby", "baby_x2_low"],
    ["HR_baby", "LR_baby", "baby", "babyx2", "HR_babyx2", "baby_lq"],
    ["HQ-baby", "lq-baby", "LQ_baby", "baby_LR"],
    ["baby_target", "baby_input", "baby", "input_baby"],
    ["baby_high", "baby_low"],
    ["baby_ground_truth", "baby_input", "baby_small"],
    ["ground-truth_baby", "input_baby"],
    ["baby (HR)", "baby (LR)", "baby_LR"],
    ["DSC_1_x1", "DSC_1_x2"],
  ])("%s has LR of many names", (large, ...small) => {
    for (const name of small) {
      const others = ["low/other_lq.png", "low/LR_other.png", "low/DSC_11_x2.png"];
      expect(partners(`high/${large}.png`, [...others, `low/${name}.png`]), name).toEqual([
        `low/${name}.png`,
      ]);
    }
  });

  test("words that may be a picture's own count only where nothing else does", () => {
    expect(partnersOf(["h/dog.png", "h/dog_small.png"], ["l/dog_LR.png", "l/dog_small.png"], 2)).toEqual([
      ["l/dog_LR.png"],
      ["l/dog_small.png"],
    ]);
    expect(partnersOf(["h/sky.png", "h/sky_high.png"], ["l/skyx2.png", "l/sky_highx2.png"], 2)).toEqual([
      ["l/skyx2.png"],
      ["l/sky_highx2.png"],
    ]);
  });

  test("equal names go first, whatever they mean, and whole names before parts of them", () => {
    for (const set of [
      ["GT-R_01", "R_01"],
      ["sunset", "LR_sunset"],
      ["a", "x2_a"],
      ["a", "BD_a"],
      ["HR_1", "1"],
      ["a", "a_x1"],
      ["a", "a (LR)"],
      ["tide", "high_tide"],
    ]) {
      const [high, low] = ["high", "low"].map((folder) => set.map((name) => `${folder}/${name}.png`));
      expect(partnersOf(high, low, 2), `${set}`).toEqual(low.map((path) => [path]));
    }
    expect(partnersOf(["h/a_HQ.png", "h/a.png"], ["l/a_HQx2.png", "l/ax2.png"], 2)).toEqual([
      ["l/a_HQx2.png"],
      ["l/ax2.png"],
    ]);
  });

  test("the same case goes before another, and of twins the same extension", () => {
    expect(partnersOf(["high/A.png", "high/a.png"], ["low/a.png", "low/A.png"], 2)).toEqual([
      ["low/A.png"],
      ["low/a.png"],
    ]);
    expect(partnersOf(["high/A.png", "high/a.png"], ["low/a.png"], 2)).toEqual([[], ["low/a.png"]]);
    expect(partnersOf(["high/a.png"], ["low/a.png", "low/A.png", "low/Ax2.png"], 2)).toEqual([["low/a.png"]]);
    expect(partnersOf(["high/a.jpg", "high/a.png"], ["low/a.png", "low/a.jpg"], 2)).toEqual([
      ["low/a.jpg"],
      ["low/a.png"],
    ]);
  });

  test("not those of other pictures or scales", () => {
    const others = [
      "baby12x.png",
      "baby_3x.png",
      "baby2x.png",
      "babyx3.png",
      "baby_LRBI_x4.png",
      "babyx22.png",
      "babyx2x2.png",
      "baby_LR3.png",
      "baby_LR_LR.png",
      "babies.png",
      "bab.png",
    ];
    expect(partners("high/baby.png", [...others, "baby2.png", "xbaby.png", "babyLRx2y.png"])).toEqual([]);
    // As large as HR, if it lies beside that.
    expect(partners("high/baby.png", ["high/baby_bicubic.png"])).toEqual([]);
    expect(partners("high/baby.png", ["low/baby_bicubic.png"])).toEqual(["low/baby_bicubic.png"]);
    expect(partners("high/baby.png", ["low/baby_bicubic.png", "low/baby_LR.png"])).toEqual([
      "low/baby_LR.png",
    ]);
    expect(partners("high/baby.png", ["low/x4_baby.png", "low/LRx3_baby.png", "low/LRbaby.png"])).toEqual([]);
    expect(
      partners("high/baby.png", ["low/baby_inputs.png", "low/baby_smaller.png", "low/babysmall.png"]),
    ).toEqual([]);
    expect(partners("high/baby.png", ["low/babyx4.png"], 4)).toEqual(["low/babyx4.png"]);
    expect(partners("high/a+b(1).png", ["low/a+b(1)x2.png"])).toEqual(["low/a+b(1)x2.png"]);
  });

  test("accents taken apart, as macOS does, make no difference", () => {
    const [composed, apart] = ["\u00e9", "e\u0301"];
    expect(partners(`high/${composed}.png`, [`low/${apart}x2.png`])).toEqual([`low/${apart}x2.png`]);
    expect(partners(`high/${apart}.png`, [`low/${composed}.png`])).toEqual([`low/${composed}.png`]);
  });

  test("several are all named; a picture is not its own small version", () => {
    expect(partners("high/a.png", ["low/a.png", "low/ax2.png"])).toEqual(["low/a.png", "low/ax2.png"]);
    expect(partners("one/a.png", ["one/a.png", "one/a_LR.png"])).toEqual(["one/a_LR.png"]);
  });

  test("LR pictures beside their HR pictures in a folder", () => {
    const versions = (...set: string[]) => versionsAmong(set).map(({ path, isLow }) => [path, isLow]);
    expect(versions("1_HR.png", "1_LR.png", "2-hr.png", "2-lr.png", "3_LR.png", "ALR.png")).toEqual([
      ["1_LR.png", true],
      ["2-lr.png", true],
    ]);
    expect(versions("baby.png", "babyx2.png", "baby_LRBI_x3.png", "baby_cat.png", "babyx20.png")).toEqual([
      ["babyx2.png", true],
      ["baby_LRBI_x3.png", true],
    ]);
    expect(
      versions("0_gt.png", "0_lq.png", "0_srcnn.png", "c.png", "c_small.png", "LR_c.png", "small_dog.png"),
    ).toEqual([
      ["0_lq.png", true],
      ["0_srcnn.png", false],
      ["c_small.png", true],
      ["LR_c.png", true],
    ]);
    expect(versions("1_x1.png", "1_x2.png", "input.png", "a_low.png", "a_bicubic.png", "low.png")).toEqual([
      ["1_x2.png", true],
    ]);
    // Pictures' own names: none is a version of another one by what that is called, or by a word in front.
    for (const set of [
      ["tide", "high_tide", "low_tide"],
      ["dog", "small_dog"],
      ["sunset", "sunset_high", "sunset_target", "HQ_sunset"],
      ["R_01", "GT-R_01"],
      ["01", "DS_01", "2x 01", "x2_01", "01_x1"],
    ])
      expect(versions(...set.map((name) => `${name}.png`)), `${set}`).toEqual([]);
    const srf = ["HR", "LR", "A+", "bicubic", "SRCNN"].map((mark) => `img_001_SRF_2_${mark}.png`);
    expect(versions(...srf, "img_002_SRF_2_HR.png", "img_002_SRF_2_kim.png")).toEqual([
      [srf[1], true],
      ...srf.slice(2).map((path) => [path, false]),
    ]);
  });
});

test("namesOf tells pictures apart", () => {
  expect(namesOf(["x/a.png", "x/b.jpg"])).toEqual(["a", "b"]);
  expect(namesOf(["x/a.png", "x/a.jpg", "x/b.jpg"])).toEqual(["a.png", "a.jpg", "b"]);
  expect(namesOf(["\u00e9.png", "e\u0301.jpg"])).toEqual(["\u00e9.png", "e\u0301.jpg"]);
  // Results of this program beside the pictures that they are of: their stems are names of others.
  const withResults = ["a.jpg", "a.png", "a.jpg.png", "a.png.png", "a.png.png.png"];
  expect(namesOf(withResults.map((name) => `x/${name}`))).toEqual(withResults);
  expect(namesOf(["x/a.png", "y/a.png", "y/b.png"])).toEqual(["x/a.png", "y/a.png", "b"]);
  expect(namesOf(["u/x/a.png", "v/x/a.png", "x/a.jpg"])).toEqual(["u/x/a.png", "v/x/a.png", "a.jpg"]);
  expect(namesOf(["a.png", "a.png"])).toEqual(["a.png", "a.png"]);
  expect(namesOf([])).toEqual([]);
});
