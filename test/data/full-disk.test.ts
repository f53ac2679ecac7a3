import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ZipFile } from "yazl";
import { download } from "../../src/data/download.ts";
import { unzipPictures } from "../../src/data/unzip.ts";
import { writeWhole } from "../../src/files/image-files.ts";
import { DataError } from "../../src/picture/errors.ts";
import { temporaryFolder } from "./support.ts";

// /dev/full is a disk without room: what is written there fails as it would on a full one.
let full = false;
/** The same for what is being downloaded alone. */
let partFull = false;
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const createWriteStream: typeof fs.createWriteStream = (path, options) =>
    full ? fs.createWriteStream("/dev/full") : fs.createWriteStream(path, options);
  return { ...fs, createWriteStream };
});
vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const writeFile: typeof fs.writeFile = (path, bytes) => fs.writeFile(full ? "/dev/full" : path, bytes);
  const open: typeof fs.open = (path, flags) =>
    fs.open(partFull && `${path}`.endsWith(".part") ? "/dev/full" : path, flags);
  return { ...fs, writeFile, open };
});

const folder = temporaryFolder();
beforeEach(() => {
  full = false;
  partFull = false;
});

describe.skipIf(!existsSync("/dev/full"))("a full disk", () => {
  test("writeWhole keeps the older file and says so", async () => {
    const path = join(folder, "a.bin");
    await writeWhole(path, "old");
    full = true;
    const error = await writeWhole(path, "new").catch((e) => e);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/a\.bin: cannot be written: the disk is full\. Make room/);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a.bin"]);
  });

  test("a download that fills the disk is reported, and nothing is retried", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end("content");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    partFull = true;
    const error = await download(`http://127.0.0.1:${port}/a.zip`, join(folder, "a.zip")).catch((e) => e);
    server.closeAllConnections();
    server.close();
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/the disk is full\. Make room/);
    expect(requests).toBe(1);
  });

  test("unzipPictures keeps the archive, and nothing half unpacked", async () => {
    const home = join(folder, "unzip");
    mkdirSync(home);
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from("a picture"), "a.png");
    zip.end();
    const chunks: Buffer[] = [];
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
    writeFileSync(join(home, "a.zip"), Buffer.concat(chunks));

    full = true;
    const error = await unzipPictures(join(home, "a.zip"), join(home, "a")).catch((e) => e);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/a: cannot be written: the disk is full/);
    expect(readdirSync(home)).toEqual(["a.zip"]);
    full = false;
    await unzipPictures(join(home, "a.zip"), join(home, "a"));
    expect(readdirSync(home)).toEqual(["a", "a.zip"]);
  });
});
