import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { PNG } from "pngjs";
import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import {
  decodeImage,
  encodePng,
  makeFolder,
  readImage,
  refuseReadOnly,
  removeEmpty,
  writePng,
  writeWhole,
} from "../../src/files/image-files.ts";
import { PictureWriter, readPictureFile, sizeOfPictureFile } from "../../src/files/picture-file.ts";
import { readError } from "../../src/files/read-file.ts";
import { DataError } from "../../src/picture/errors.ts";
import type { Image } from "../../src/picture/image.ts";
import { drawn, noise, photograph, temporaryFolder } from "../data/support.ts";
import { pngChunk } from "../support/png.ts";

const folder = temporaryFolder();
const failure = async (promise: Promise<unknown>): Promise<DataError> => {
  const error = await promise.then(
    () => undefined,
    (e) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  return error;
};

describe("PNG", () => {
  test.each([1, 2, 3, 4] as const)(
    "%i channels: written and read back, and read by pngjs",
    async (channels) => {
      const image = noise(13, 7, channels);
      const path = join(folder, `channels${channels}.png`);
      await writePng(path, image);
      expect(await readImage(path)).toEqual(image);
      const rgba = PNG.sync.read(readFileSync(path));
      expect([rgba.width, rgba.height]).toEqual([13, 7]);
      const grey = channels <= 2;
      const alpha = channels === 2 || channels === 4;
      rgba.data.forEach((value, i) => {
        const pixel = Math.floor(i / 4) * channels;
        const from = i % 4 === 3 ? channels - 1 : grey ? 0 : i % 4;
        expect(value).toBe(i % 4 === 3 && !alpha ? 255 : image.data[pixel + from]);
      });
    },
  );

  test("pictures written by pngjs: RGB, grey, and 16 bits cut to the upper 8", async () => {
    const write = (samples: Uint8Array, options: object): Uint8Array => {
      const png = new PNG({ width: 8, height: 4 });
      png.data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
      return PNG.sync.write(png, options);
    };
    const color = noise(8, 4, 3);
    expect(await decodeImage(write(color.data, { colorType: 2, inputColorType: 2 }), "rgb")).toEqual(color);
    const grey = noise(8, 4, 1);
    expect(await decodeImage(write(grey.data, { colorType: 0, inputColorType: 0 }), "grey")).toEqual(grey);
    const wide = Uint16Array.from({ length: 8 * 4 * 3 }, (_, i) => i * 680 + 255);
    const bytes = write(new Uint8Array(wide.buffer), { colorType: 2, inputColorType: 2, bitDepth: 16 });
    expect(bytes[24]).toBe(16);
    expect((await decodeImage(bytes, "deep")).data).toEqual(Uint8Array.from(wide, (v) => v >> 8));
  });

  test("palette pictures become RGB", async () => {
    const rows = Uint8Array.of(0, 0, 1, 0, 1, 0); // two rows of a filter byte and two indices
    const png = pngFile({ width: 2, height: 2, colorType: 3 }, deflateSync(rows), [10, 20, 30, 40, 50, 60]);
    const [a, b] = [
      [10, 20, 30],
      [40, 50, 60],
    ];
    const data = Uint8Array.from([a, b, b, a].flat());
    expect(await decodeImage(png, "palette")).toEqual({ width: 2, height: 2, channels: 3, data });
  });

  test("samples are as stored even if the file carries a colour profile", async () => {
    const image = noise(8, 8, 3);
    const raw = { width: 8, height: 8, channels: 3 as const };
    const plain = sharp(image.data, { raw }).png();
    const png = await sharp(await plain.toBuffer())
      .withIccProfile("p3")
      .png()
      .toBuffer();
    const stored = PNG.sync.read(png).data.filter((_, i) => i % 4 !== 3);
    expect((await sharp(png).metadata()).hasProfile).toBe(true);
    expect(stored).not.toEqual(Buffer.from(image.data)); // the writer has converted them to P3
    expect(Buffer.from((await decodeImage(png, "p3")).data)).toEqual(stored);
  });

  test("writing is all or nothing", async () => {
    const path = join(folder, "whole", "a.png");
    await failure(writePng(path, noise(4, 4, 3))).then((e) => {
      expect(e.message).toContain(path);
      expect(e.message).toMatch(/cannot be written: there is no folder .*whole\. Make it/);
    });
    await mkdir(join(folder, "whole"));
    await writePng(path, noise(4, 4, 3, 1));
    await writePng(path, noise(4, 4, 3, 2));
    expect(await readImage(path)).toEqual(noise(4, 4, 3, 2));
    await mkdir(join(folder, "whole", "taken.png"));
    await failure(writePng(join(folder, "whole", "taken.png"), noise(4, 4, 3)));
    await failure(writePng(path, { ...noise(4, 4, 3), width: 9 }));
    expect(readdirSync(join(folder, "whole")).sort()).toEqual(["a.png", "taken.png"]);
    expect((await failure(writePng("a.jpg", noise(4, 4, 3)))).message).toMatch(/a\.jpg.*ends in \.png/);
  });
});

// Others than root make a disk of their own, where the system lets them.
const withReadOnlyDisk = ["-rm", "sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"'];
const canMount = spawnSync("unshare", [...withReadOnlyDisk, "/mnt", "true"]).status === 0;

test.skipIf(!canMount)("a new folder on a read-only disk, in words", () => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  const code = `import { makeFolder } from "./src/files/image-files.ts"; makeFolder("${disk}/new/x")`;
  const node = [process.execPath, "--import", "tsx", "--input-type=module", "-e", code];
  const { stderr } = spawnSync("unshare", [...withReadOnlyDisk, disk, ...node], { encoding: "utf8" });
  expect(stderr).toContain(
    `DataError: ${disk}/new/x: this folder cannot be made: this disk is read-only. Name another one.`,
  );
});

test.skipIf(process.platform !== "linux")(
  "a place that takes neither folders nor files, in words",
  async () => {
    const { message } = await failure(writeWhole("/proc/new", "x"));
    expect(message).toBe(
      "/proc/new: cannot be written: this disk takes no new files there. Choose another folder.",
    );
    expect(() => makeFolder("/proc/new/x")).toThrow(
      "/proc/new/x: this folder cannot be made: this disk takes no new folders there. Name another one.",
    );
  },
);

test.skipIf(process.platform === "win32")("why a folder cannot be made, in words", () => {
  const closed = join(folder, "closed");
  mkdirSync(closed);
  writeFileSync(join(folder, "a-file"), "");
  const reason = (path: string) => {
    try {
      makeFolder(path);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const [file, below] = [join(folder, "a-file"), join(folder, "a-file", "x")];
  expect(reason(file)).toBe(
    `${file}: this folder cannot be made: there is a file of this name. Name another one.`,
  );
  expect(reason(below)).toBe(
    `${below}: this folder cannot be made: a part of its path is a file. Name another one.`,
  );
  // Nothing is closed to root.
  chmodSync(folder, 0o755);
  chmodSync(closed, 0o555);
  const own = process.geteuid!();
  if (own === 0) process.seteuid!(65534);
  try {
    expect(reason(join(closed, "x"))).toBe(
      `${join(closed, "x")}: this folder cannot be made: you may not write there. Name another one.`,
    );
  } finally {
    if (own === 0) process.seteuid!(0);
    chmodSync(closed, 0o755);
  }
});

describe("folders on the way to one", () => {
  test("x/.. makes no x, and what existed stays when the new ones are removed", () => {
    const place = join(folder, "ways");
    mkdirSync(join(place, "rel2"), { recursive: true });
    const path = `${place}/rel/../rel2/y/z`;
    const firstMade = makeFolder(path);
    expect(firstMade).toBe(join(place, "rel2", "y"));
    expect(readdirSync(place)).toEqual(["rel2"]);
    expect(readdirSync(join(place, "rel2", "y"))).toEqual(["z"]);
    removeEmpty(path, firstMade);
    expect(readdirSync(place)).toEqual(["rel2"]);
    expect(readdirSync(join(place, "rel2"))).toEqual([]);
  });

  test("one whose name only begins as that of the first that was made stays", () => {
    const place = join(folder, "names");
    mkdirSync(join(place, "rel2"), { recursive: true });
    removeEmpty(join(place, "rel2"), join(place, "rel"));
    expect(readdirSync(place)).toEqual(["rel2"]);
  });

  test.skipIf(process.platform === "win32")("behind a link, .. is the folder around its target", () => {
    const place = join(folder, "linked");
    mkdirSync(join(place, "far", "in"), { recursive: true });
    mkdirSync(join(place, "far", "there"));
    symlinkSync(join(place, "far", "in"), join(place, "link"));
    expect(makeFolder(`${place}/link/../there`)).toBeUndefined();
    expect(readdirSync(place).sort()).toEqual(["far", "link"]);
  });
});

describe("writeWhole", () => {
  test("needs no sync() of a FileHandle, which Yarn's Plug'n'Play lacks", async () => {
    const handle = await open(folder, "r");
    await handle.close();
    const sync = vi.spyOn(Object.getPrototypeOf(handle), "sync").mockRejectedValue(new Error("missing"));
    try {
      const path = join(folder, "without-sync.bin");
      await writeWhole(path, Uint8Array.of(1, 2));
      expect([...readFileSync(path)]).toEqual([1, 2]);
      // What the disk reports is no reason to ask once more.
      sync.mockRejectedValue(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
      expect((await failure(writeWhole(path, Uint8Array.of(3)))).message).toMatch(/EIO/);
      expect([...readFileSync(path)]).toEqual([1, 2]);
      // Node under --permission.
      sync.mockRejectedValue(Object.assign(new Error("disabled"), { code: "ERR_ACCESS_DENIED" }));
      await writeWhole(path, Uint8Array.of(4));
      expect([...readFileSync(path)]).toEqual([4]);
    } finally {
      sync.mockRestore();
    }
  });

  test("keeps a link, and replaces the file that it leads to", async () => {
    writeFileSync(join(folder, "target"), "old");
    symlinkSync(join(folder, "target"), join(folder, "link"));
    await writeWhole(join(folder, "link"), "new");
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("new");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("of a link into a folder that does not exist, that is said", async () => {
    const [link, missing] = [join(folder, "astray.png"), join(folder, "no", "such")];
    symlinkSync(join(missing, "a.png"), link);
    for (const write of [() => writeWhole(link, "x"), () => writePng(link, noise(2, 2, 3))]) {
      expect((await failure(write())).message).toBe(
        `${link}: cannot be written: it is a link into ${missing}, a folder that does not exist. Remove the link, or ` +
          "name another file.",
      );
    }
  });

  describe.skipIf(process.platform === "win32")("permissions", () => {
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    const write = async (path: string) => {
      const options = { format: "png", width: 4, height: 4, channels: 3, depth: 8 } as const;
      const writer = await PictureWriter.create(path, options);
      await writer.write(noise(4, 4, 3).data);
      await writer.finish();
    };
    const writers = [
      ["writeWhole", (path: string) => writeWhole(path, "new")],
      ["PictureWriter", write],
    ] as const;

    test.each(writers)(
      "%s: those of the file that is replaced stay, also behind a link",
      async (name, write) => {
        const [file, link] = [join(folder, `${name}-private`), join(folder, `${name}-link`)];
        writeFileSync(file, "old");
        symlinkSync(file, link);
        for (const mode of [0o600, 0o640, 0o755]) {
          chmodSync(file, mode);
          await write(mode === 0o640 ? link : file);
          expect(modeOf(file)).toBe(mode);
          expect(readFileSync(file, "utf8")).not.toBe("old");
        }
        expect(lstatSync(link).isSymbolicLink()).toBe(true);
      },
    );

    test.each(writers)(
      "%s: nobody else may read what replaces a private file, at no time",
      async (name, write) => {
        const place = join(folder, `${name}-secret`);
        mkdirSync(place);
        const file = join(place, "file");
        writeFileSync(file, "old");
        chmodSync(file, 0o600);
        const modes: number[] = [];
        let isWritten = false;
        const writing = write(file).finally(() => {
          isWritten = true;
        });
        while (!isWritten) {
          for (const name of readdirSync(place)) {
            const stats = statSync(join(place, name), { throwIfNoEntry: false });
            if (stats && name.endsWith(".tmp")) modes.push(stats.mode & 0o777);
          }
          await new Promise(setImmediate);
        }
        await writing;
        expect([...new Set(modes)]).toEqual([0o600]);
      },
    );

    test.each(writers)("%s: a file that is read-only is left alone", async (name, write) => {
      const [file, link] = [join(folder, `${name}-fixed`), join(folder, `${name}-fixed-link`)];
      writeFileSync(file, "old");
      symlinkSync(file, link);
      chmodSync(file, 0o444);
      for (const path of [file, link]) {
        const { message } = await failure(write(path));
        expect(message).toBe(
          `${path}: cannot be written: it is marked as read-only. Make it writable, or name another file.`,
        );
      }
      expect(readFileSync(file, "utf8")).toBe("old");
      expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    });
  });

  test.skipIf(process.platform === "win32")("writes to a pipe as it is", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [read] = await Promise.all([readFile(pipe, "utf8"), writeWhole(pipe, "through")]);
    expect(read).toBe("through");
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  test.skipIf(process.platform === "win32")("reads no pipe to which nobody may ever write", async () => {
    const pipe = join(folder, "pipe-in.png");
    execFileSync("mkfifo", [pipe]);
    for (const read of [readImage, sizeOfPictureFile, readPictureFile]) {
      const { message } = await failure(read(pipe));
      expect(message).toBe(
        `${pipe}: this is a pipe, and a file was wanted. Read the pipe yourself, and give the bytes.`,
      );
    }
  });

  test.each([
    ["ENOENT", "there is no such file. Check the path."],
    ["EACCES", "you may not read it. Change its permissions, or leave it out."],
    ["EMFILE", "too many files are open. Close some, or raise the limit."],
    ["ERR_FS_FILE_TOO_LARGE", "it is larger than 2 GiB. Only smaller files are read whole."],
    ["EIO", "EIO: i/o error. Copy it anew, or name another file."],
  ])("%s comes with an advice of its own", (code, says) => {
    const cause = Object.assign(new Error("EIO: i/o error"), { code });
    expect(readError("a.png", cause).message).toBe(`a.png: cannot be read: ${says}`);
  });

  test("a path that the system calls too long is called that", async () => {
    const [name, path] = [`${"n".repeat(256)}.png`, `${"d/".repeat(2100)}a.png`];
    const reasons: [string, string][] = [
      [name, "its name has 260 bytes, and file systems take 255."],
      [path, "its path of 4205 bytes, or a name in it, is longer than the system takes."],
    ];
    for (const [long, reason] of reasons) {
      const reading = await failure(readImage(long));
      expect(reading.message).toBe(`${long}: cannot be read: ${reason} Check the path.`);
      for (const write of [() => writeWhole(long, "x"), () => writePng(long, noise(2, 2, 3))]) {
        expect((await failure(write())).message).toBe(`${long}: cannot be written: ${reason}`);
      }
      expect(() => refuseReadOnly(long)).not.toThrow(); // writing says it
    }
  });
});

describe("JPEG and WebP", () => {
  test("a photograph has its size and looks like itself", async () => {
    const image = await readImage(photograph("allium-oreophilum"));
    expect([image.width, image.height, image.channels]).toEqual([807, 1024, 3]);
    expect(new Set(image.data).size).toBeGreaterThan(200);
  });

  test("the camera's orientation is applied", async () => {
    const { width, height, channels, data } = drawn(16, 8, 3, (x) => (x < 8 ? 0 : 255));
    const jpeg = sharp(data, { raw: { width, height, channels } }).withMetadata({ orientation: 6 });
    const image = await decodeImage(await jpeg.jpeg({ quality: 100 }).toBuffer(), "turned");
    expect([image.width, image.height]).toEqual([8, 16]); // 6: to be turned a quarter clockwise
    expect(image.data[0]).toBeLessThan(20);
    expect(image.data.at(-1)).toBeGreaterThan(235);
  });

  test("a grey JPEG has 1 channel", async () => {
    const { width, height, channels, data } = drawn(16, 16, 1, (x, y) => 8 * (x + y));
    const jpeg = sharp(data, { raw: { width, height, channels } })
      .toColourspace("b-w")
      .jpeg({ quality: 100 });
    const image = await decodeImage(await jpeg.toBuffer(), "grey");
    expect(image.channels).toBe(1);
    const worst = Math.max(...image.data.map((v, i) => Math.abs(v - data[i])));
    expect(worst).toBeLessThan(4);
  });

  test("lossless WebP is exact, and the bytes decide, not the name", async () => {
    const image = noise(12, 10, 3);
    const raw = { width: 12, height: 10, channels: 3 as const };
    const path = join(folder, "really-webp.png");
    writeFileSync(path, await sharp(image.data, { raw }).webp({ lossless: true }).toBuffer());
    expect(await readImage(path)).toEqual(image);
  });
});

describe("files that are no whole picture", () => {
  const whole: Promise<Record<string, Uint8Array>> = (async () => {
    const { width, height, channels, data } = noise(40, 30, 3);
    const picture = () => sharp(data, { raw: { width, height, channels } });
    return {
      PNG: await encodePng({ width, height, channels, data }),
      JPEG: await picture().jpeg().toBuffer(),
      WebP: await picture().webp().toBuffer(),
    };
  })();

  test.each(["PNG", "JPEG", "WebP"])("a %s cut short at any point is refused by name", async (format) => {
    const bytes = (await whole)[format];
    await decodeImage(bytes, "whole");
    // Without its empty last chunk, or the mark for its end, a picture still has all its pixels.
    const end = { PNG: 12, JPEG: 2 }[format] ?? 0;
    for (let k = 0; k < 40; k++) {
      const length = 12 + Math.floor(((bytes.length - end - 13) * k) / 39);
      const { message } = await failure(decodeImage(bytes.subarray(0, length), "some/picture"));
      expect(message).toContain("some/picture: this " + format + " picture of " + length + " bytes cannot");
      expect(message).toMatch(/cut short; download or copy it again/);
    }
  });

  test("a PNG with one flipped byte is refused", async () => {
    const bytes = Uint8Array.from((await whole).PNG);
    bytes[bytes.length >> 1] ^= 0x10;
    expect((await failure(decodeImage(bytes, "flipped.png"))).message).toMatch(/^flipped\.png.*damaged/);
  });

  test("a PNG whose checksums hold but whose pixels are missing or nonsense is refused", async () => {
    const header = { width: 100, height: 100, colorType: 2 };
    const rows = new Uint8Array(100 * 301);
    expect((await decodeImage(pngFile(header, deflateSync(rows)), "good")).width).toBe(100);
    const nonsense = new TextEncoder().encode("this is no zlib stream");
    for (const data of [deflateSync(rows.subarray(0, 9000)), deflateSync(rows.fill(9)), nonsense]) {
      await failure(decodeImage(pngFile(header, data), "bad"));
    }
    await failure(decodeImage(pngFile({ ...header, width: 0 }, deflateSync(rows)), "no width"));
    await failure(decodeImage(pngFile({ ...header, width: 1e6, height: 1e6 }, deflateSync(rows)), "huge"));
  });

  test("empty files, other formats, missing files and folders each have their own message", async () => {
    const path = join(folder, "x.png");
    writeFileSync(path, "");
    expect((await failure(readImage(path))).message).toBe(
      `${path}: the file is empty. Download or copy it again, or leave it out.`,
    );
    writeFileSync(path, "PSDfile, followed by something");
    expect((await failure(readImage(path))).message).toMatch(
      /not a PNG, JPEG, .* or PPM picture.*50534466696c.*Convert/,
    );
    expect((await failure(readImage(join(folder, "none.png")))).message).toMatch(/no such file/);
    expect((await failure(readImage(folder))).message).toMatch(
      /cannot be read: it is a folder\. Name a file\.$/,
    );
  });
});

test("pictures own their memory, so that it can be transferred to another thread", async () => {
  const image: Image = await decodeImage(await encodePng(noise(3, 3, 3)), "small");
  expect(image.data.buffer.byteLength).toBe(27);
});

/** A PNG file, 8 bits per sample, from an already compressed stream: for the files no encoder would write. */
function pngFile(
  header: { width: number; height: number; colorType: number },
  data: Uint8Array,
  palette: number[] = [],
): Uint8Array {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width, 0);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([8, header.colorType], 8);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    pngChunk("IHDR", ihdr),
    ...(palette.length > 0 ? [pngChunk("PLTE", Uint8Array.from(palette))] : []),
    pngChunk("IDAT", data),
    pngChunk("IEND"),
  ]);
}
