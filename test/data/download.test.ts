import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { openDiv2k } from "../../src/data/div2k.ts";
import { type Div2kProgress, downloadDiv2k } from "../../src/data/div2k-download.ts";
import { download } from "../../src/data/download.ts";
import { unzipPictures } from "../../src/data/unzip.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { Lock } from "../../src/files/lock.ts";
import { DataError } from "../../src/picture/errors.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { ForeignController } from "../support/foreign-signal.ts";
import { noise, temporaryFolder } from "./support.ts";

const folder = temporaryFolder();

/** What the server does; set anew for each test. */
interface Behaviour {
  files: Record<string, Uint8Array>;
  ranges: boolean;
  etag?: string;
  lastModified?: string;
  /** Answers are cut after this many bytes, as long as there are cuts left. */
  cutAfter: number;
  cuts: number;
  /** Answered instead of a file, one after the other. */
  statuses: number[];
  /** Added to the Content-Length. */
  sizeError: number;
  chunked: boolean;
  beforeAnswer?: (request: IncomingMessage, response: ServerResponse) => boolean;
}
let behaviour: Behaviour;
/** Bytes that the client has reported. */
let received: number;
let requests: { url: string; range?: string; ifRange?: string; status: number }[];

const server = createServer((request, response) => {
  const { range, "if-range": ifRange } = request.headers as Record<string, string | undefined>;
  const log = { url: request.url!, range, ifRange, status: 200 };
  requests.push(log);
  const refuse = (status: number, headers = {}) => {
    log.status = status;
    response.writeHead(status, headers).end("no");
  };
  if (behaviour.beforeAnswer?.(request, response)) return;
  const status = behaviour.statuses.shift();
  if (status) return refuse(status);
  const bytes = behaviour.files[request.url!];
  if (!bytes) return refuse(404);

  const { etag, lastModified, ranges } = behaviour;
  const headers: Record<string, string | number> = {};
  if (etag) headers.etag = etag;
  if (lastModified) headers["last-modified"] = lastModified;
  const same = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  let start = 0;
  if (ranges && range && same) {
    start = Number(/bytes=(\d+)-/.exec(range)![1]);
    if (start >= bytes.length) return refuse(416, { "content-range": `bytes */${bytes.length}` });
    log.status = 206;
    headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  }
  if (!behaviour.chunked) headers["content-length"] = bytes.length - start + behaviour.sizeError;
  response.writeHead(log.status, headers);
  if (behaviour.cuts > 0) {
    behaviour.cuts--;
    const end = Math.min(start + behaviour.cutAfter, bytes.length);
    // Wait for their arrival: when a connection breaks, fetch() drops the bytes it has not handed on yet.
    received = -1;
    response.write(bytes.subarray(start, end), async () => {
      while (received < end) await new Promise((resolve) => setTimeout(resolve, 1));
      response.destroy();
    });
  } else {
    response.end(bytes.subarray(start));
  }
});

let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const content = noise(200, 100, 3).data;
let number = 0;
/** A new path for each test. */
let path: string;
beforeEach(() => {
  requests = [];
  behaviour = {
    files: { "/file.zip": content },
    ranges: true,
    etag: '"1"',
    cutAfter: 0,
    cuts: 0,
    statuses: [],
    sizeError: 0,
    chunked: false,
  };
  path = join(folder, `download${number++}`, "file.zip");
});

const fetchFile = (options: Parameters<typeof download>[2] = {}) =>
  download(`${base}file.zip`, path, {
    backoff: 1,
    ...options,
    onProgress(done, total) {
      received = done;
      options.onProgress?.(done, total);
    },
  });

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (e) => e,
  );
  expect(error).toBeInstanceOf(Error);
  return error;
}

async function expectWhole(): Promise<void> {
  expect(readFileSync(path).equals(content)).toBe(true);
  expect(await readdir(join(path, ".."))).toEqual(["file.zip"]);
}

describe("download", () => {
  test("fetches a file, makes its folder, and reports progress", async () => {
    const progress: [number, number | undefined][] = [];
    await fetchFile({ onProgress: (...step) => progress.push(step) });
    await expectWhole();
    expect(progress[0]).toEqual([0, 60_000]);
    expect(progress.at(-1)).toEqual([60_000, 60_000]);
    expect(requests).toEqual([{ url: "/file.zip", range: undefined, ifRange: undefined, status: 200 }]);
  });

  test.each([
    [{ etag: '"1"' }, '"1"'],
    [{ etag: undefined, lastModified: "Tue, 14 Nov 2017 10:00:00 GMT" }, "Tue, 14 Nov 2017 10:00:00 GMT"],
    [{ etag: 'W/"1"', lastModified: "Tue, 14 Nov 2017 10:00:00 GMT" }, "Tue, 14 Nov 2017 10:00:00 GMT"],
    [{ etag: undefined }, undefined],
  ])(
    "cut connections: only the rest is requested, by what identifies the file: %o",
    async (headers, ifRange) => {
      Object.assign(behaviour, headers, { cuts: 7, cutAfter: 7000 });
      await fetchFile({ retries: 1 });
      await expectWhole();
      expect(requests.map(({ range }) => range)).toEqual([
        undefined,
        ...[1, 2, 3, 4, 5, 6, 7].map((k) => `bytes=${7000 * k}-`),
      ]);
      expect(requests.slice(1).every((request) => request.status === 206)).toBe(true);
      expect(requests.slice(1).map((request) => request.ifRange)).toEqual(new Array(7).fill(ifRange));
    },
  );

  test("a server that knows no ranges sends everything again", async () => {
    Object.assign(behaviour, { ranges: false, cuts: 3, cutAfter: 20_000 });
    await fetchFile({ retries: 3 });
    await expectWhole();
    expect(requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test("bytes from before a failure stay, and a later call goes on from there", async () => {
    Object.assign(behaviour, { cuts: 1e9, cutAfter: 9000, ranges: false });
    const error = await failure(fetchFile({ retries: 2 }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /file\.zip: cannot be downloaded: .*3 times in a row.*9000 bytes\) is kept in .*file\.zip\.part/,
    );
    expect(existsSync(path)).toBe(false);
    Object.assign(behaviour, { cuts: 0, ranges: true });
    await fetchFile();
    await expectWhole();
    expect(requests.at(-1)).toMatchObject({ range: "bytes=9000-", status: 206 });
  });

  test("a file that has changed in between is fetched anew", async () => {
    Object.assign(behaviour, { cuts: 1, cutAfter: 9000, files: { "/file.zip": noise(50, 100, 3, 2).data } });
    await failure(fetchFile({ retries: 0 }));
    Object.assign(behaviour, { etag: '"2"', files: { "/file.zip": content } });
    await fetchFile();
    await expectWhole();
    expect(requests.at(-1)).toMatchObject({ range: "bytes=9000-", ifRange: '"1"', status: 200 });
  });

  test("without ETag, a change shows in the size, also where nothing is left to send", async () => {
    for (const [k, before] of [noise(100, 100, 3, 2).data, noise(201, 100, 3, 2).data].entries()) {
      path = join(folder, `changed${k}`, "file.zip");
      Object.assign(behaviour, { etag: undefined, cuts: 1, cutAfter: before.length - 10 });
      behaviour.files = { "/file.zip": before };
      await failure(fetchFile({ retries: 0 }));
      behaviour.files = { "/file.zip": content };
      await fetchFile({ retries: 1 });
      await expectWhole();
    }
    expect(requests.map(({ status }) => status)).toEqual([200, 206, 200, 200, 416, 200]);
  });

  test("all bytes there, but not renamed: nothing more is fetched", async () => {
    Object.assign(behaviour, { cuts: 1, cutAfter: 9000 });
    await failure(fetchFile({ retries: 0 }));
    writeFileSync(`${path}.part`, content);
    await fetchFile();
    await expectWhole();
    expect(requests.length).toBe(1);
  });

  test("a file of unannounced size: cut, resumed, and recognized as complete", async () => {
    Object.assign(behaviour, { chunked: true, cuts: 1, cutAfter: 9000 });
    await fetchFile({ retries: 1 });
    await expectWhole();
    path = join(folder, "unannounced", "file.zip");
    Object.assign(behaviour, { cuts: 1, cutAfter: content.length });
    await fetchFile({ retries: 1 });
    await expectWhole();
    expect(requests.map(({ status }) => status)).toEqual([200, 206, 200, 416]);
  });

  test("an answer that is not wanted does not keep its connection open", async () => {
    Object.assign(behaviour, { chunked: true, cuts: 1, cutAfter: content.length });
    let closed: Promise<unknown> | undefined;
    behaviour.beforeAnswer = ({ headers }, response) => {
      if (!headers.range) return false;
      closed = once(response, "close");
      response.writeHead(416, { "content-range": `bytes */${content.length}` });
      response.write("and more, without end");
      return true;
    };
    await fetchFile({ retries: 1 });
    await expectWhole();
    const patience = sleep(5000, "still open", { ref: false });
    expect(await Promise.race([closed, patience])).not.toBe("still open");
  });

  test("one process at a time: another one is refused, and goes on where a killed one stopped", async () => {
    Object.assign(behaviour, { cuts: 1, cutAfter: 9000 });
    await failure(fetchFile({ retries: 0 }));
    const own = Lock.create({ path, lock: `${path}.part.lock`, doing: "", advice: "" });
    const error = await failure(fetchFile());
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /file\.zip: another process is downloading it: process \d+ on .*\. Wait for its end/,
    );
    const owner = JSON.parse(readFileSync(`${path}.part.lock`, "utf8"));
    own.release();
    expect(statSync(`${path}.part`).size).toBe(9000);
    const dead = { ...owner, process: { ...owner.process, pid: 2 ** 22 + 1 } };
    writeFileSync(`${path}.part.lock`, JSON.stringify(dead));
    await fetchFile();
    await expectWhole();
    expect(requests.map(({ status }) => status)).toEqual([200, 206]);
  });

  test("waiting for a process of another machine is told, and can be stopped", async () => {
    mkdirSync(dirname(path));
    const owner = {
      token: "",
      process: { place: "elsewhere", pid: 1, start: "0" },
      host: "elsewhere",
      since: "",
    };
    writeFileSync(`${path}.part.lock`, JSON.stringify(owner));
    const lines: string[] = [];
    const controller = new AbortController();
    const reason = new Error("enough");
    const onMessage = (line: string) => {
      lines.push(line);
      setTimeout(() => controller.abort(reason), 50);
    };
    const start = performance.now();
    expect(await failure(fetchFile({ signal: controller.signal, onMessage }))).toBe(reason);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(lines).toEqual([expect.stringMatching(/process 1 on elsewhere was downloading it; waiting 12 /)]);
    expect(await failure(fetchFile({ signal: controller.signal }))).toBe(reason);
    expect(requests).toEqual([]);
  });

  test("fewer bytes than announced are never taken for a whole file", async () => {
    Object.assign(behaviour, { sizeError: 5, ranges: false, cuts: 1e9, cutAfter: content.length });
    expect(await failure(fetchFile({ retries: 1 }))).toBeInstanceOf(DataError);
    expect(existsSync(path)).toBe(false);
  });

  test("temporary failures are retried: 503, 429, 408", async () => {
    behaviour.statuses = [503, 429, 408];
    const start = performance.now();
    await fetchFile({ retries: 3, backoff: 20 });
    expect(performance.now() - start).toBeGreaterThan(20 + 40 + 80 - 5);
    await expectWhole();
  });

  test.each([404, 403, 410])("%i is final", async (status) => {
    behaviour.statuses = [status];
    const error = await failure(fetchFile());
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      new RegExp(`file\\.zip: cannot be downloaded: the server answered ${status} .*address`),
    );
    expect(requests.length).toBe(1);
  });

  test("a missing server, and a text that is no address", async () => {
    const nowhere = createServer();
    await new Promise<void>((resolve) => nowhere.listen(0, "127.0.0.1", resolve));
    const { port } = nowhere.address() as AddressInfo;
    await new Promise((resolve) => nowhere.close(resolve));
    const error = await failure(download(`http://127.0.0.1:${port}/`, path, { retries: 1, backoff: 1 }));
    expect(error.message).toMatch(/ECONNREFUSED.*2 times in a row/);
    expect((await failure(download("file.zip", path))).message).toMatch(/not an address/);
  });

  test("abort: while bytes arrive, while waiting, and before the start; the bytes stay", async () => {
    const controller = new AbortController();
    const endless: Behaviour["beforeAnswer"] = (_, response) => {
      response.writeHead(200, { "content-length": content.length, etag: '"1"' });
      response.write(content.subarray(0, 5000));
      return true; // and never ends
    };
    behaviour.beforeAnswer = endless;
    const abort = (done: number) => {
      if (done === 5000) controller.abort();
    };
    const aborted = await failure(fetchFile({ signal: controller.signal, onProgress: abort }));
    expect(aborted.name).toBe("AbortError");
    behaviour.beforeAnswer = undefined;
    expect((await failure(fetchFile({ signal: controller.signal }))).name).toBe("AbortError");

    behaviour.statuses = [503];
    const reason = new Error("enough");
    const waiting = fetchFile({ signal: AbortSignal.any([later(50, reason)]), backoff: 60_000 });
    expect(await failure(waiting)).toBe(reason);

    // Of another realm: while bytes arrive, and while it waits.
    const foreign = new ForeignController();
    behaviour.beforeAnswer = endless;
    const abortIt = (done: number) => {
      if (done === 5000) foreign.abort(reason);
    };
    const start = performance.now();
    expect(await failure(fetchFile({ signal: foreign.signal, onProgress: abortIt }))).toBe(reason);
    expect(performance.now() - start).toBeLessThan(30_000); // after 60 s of silence it would look
    behaviour.beforeAnswer = undefined;
    expect(await failure(fetchFile({ signal: foreign.signal }))).toBe(reason);
    const second = new ForeignController();
    behaviour.statuses = [503];
    setTimeout(() => second.abort(reason), 50);
    expect(await failure(fetchFile({ signal: second.signal, backoff: 60_000 }))).toBe(reason);
    await fetchFile();
    await expectWhole();
    expect(requests.at(-1)).toMatchObject({ range: "bytes=5000-", status: 206 });
  });

  test("a full disk is reported, before the first byte if the server sends the size", async () => {
    mkdirSync(join(path, ".."), { recursive: true });
    behaviour.beforeAnswer = (_, response) => {
      response.writeHead(200, { "content-length": 1e18 }).write("x");
      return true;
    };
    const early = await failure(fetchFile());
    expect(early).toBeInstanceOf(DataError);
    expect(early.message).toMatch(
      /1000000000\.00 GB more are needed, and the disk has [\d.]+ GB left\. Make room/,
    );
  });

  test.each(["no JSON", "[]", '{"size":"6"}', '{"validator":7}', '{"size":1e300}'])(
    "a damaged description of what is here already: everything is fetched anew: %s",
    async (text) => {
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(
        `${path}.part`,
        content.subarray(0, 9000).map((byte) => byte ^ 1),
      );
      writeFileSync(`${path}.part.json`, text);
      await fetchFile({ retries: 0 });
      await expectWhole();
      expect(requests.map(({ range }) => range)).toEqual([undefined]);
    },
  );

  test.each(["bytes 0-5/6", "bytes 0-5/*", "bytes 0-5/60000", undefined])(
    "a part that nobody has asked for is not taken for the whole: %s",
    async (range) => {
      behaviour.beforeAnswer = (_, response) => {
        response.writeHead(206, range === undefined ? {} : { "content-range": range });
        response.end("abcdef");
        return true;
      };
      const error = await failure(fetchFile({ retries: 1 }));
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(/the server answered with a part \(206\), though/);
      expect(await readdir(join(path, ".."))).toEqual([]);
    },
  );

  test("a page in place of a zip archive is refused, and a later call asks again", async () => {
    const signature = { bytes: [...content.subarray(0, 4)], of: "a zip archive" };
    behaviour.beforeAnswer = (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!DOCTYPE html>Log in");
      return true;
    };
    const error = await failure(fetchFile({ signature }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /file\.zip: cannot be downloaded: this is not a zip archive; the server sends text\/html/,
    );
    expect(await readdir(join(path, ".."))).toEqual([]);
    behaviour.beforeAnswer = undefined;
    Object.assign(behaviour, { cuts: 3, cutAfter: 2 }); // the signature comes in parts
    await fetchFile({ signature });
    await expectWhole();
  });

  test("a server that falls silent counts as a failed connection", async () => {
    let silent = 2;
    behaviour.beforeAnswer = (_, response) => {
      if (silent-- === 0) return false;
      if (silent === 0)
        response
          .writeHead(200, { "content-length": content.length, etag: '"1"' })
          .write(content.subarray(0, 1));
      return true; // and nothing more
    };
    const error = await failure(fetchFile({ retries: 0, silence: 400 }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/the server sent nothing for 0\.4 s/);
    silent = 2;
    await fetchFile({ retries: 5, silence: 400 });
    await expectWhole();
  });

  test("more bytes than allowed, announced or not, and other encodings", async () => {
    const larger = /larger than 0\.0 GiB/;
    expect((await failure(fetchFile({ maxBytes: 59_999 }))).message).toMatch(larger);
    behaviour.chunked = true;
    expect((await failure(fetchFile({ maxBytes: 59_999 }))).message).toMatch(larger);
    expect(await readdir(join(path, ".."))).toEqual([]);
    await fetchFile({ maxBytes: 60_000 });
    await expectWhole();
    behaviour.beforeAnswer = (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(content));
      return true;
    };
    expect((await failure(fetchFile())).message).toMatch(/the server sends it in the encoding gzip/);
  });

  test("redirects: to http from http, but to nothing less safe, and not for ever", async () => {
    const redirect = (to: string) => {
      behaviour.beforeAnswer = (request, response) => {
        if (request.url === "/other.zip") return false;
        response.writeHead(302, { location: to }).end();
        return true;
      };
    };
    behaviour.files["/other.zip"] = content;
    redirect("/other.zip");
    await fetchFile();
    await expectWhole();
    for (const to of [
      "file:///etc/passwd",
      "data:text/plain,x",
      "ftp://127.0.0.1/",
      "http://",
      "/again.zip",
    ]) {
      redirect(to);
      const error = await failure(fetchFile());
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(/the server redirects (to no safe address|more than 10 times)/);
    }
    for (const address of ["file:///etc/passwd", "data:application/zip,x", "ftp://127.0.0.1/a.zip", ""]) {
      expect((await failure(download(address, path))).message).toMatch(
        /not an address that begins with "https/,
      );
    }
  });

  test("an encrypted address is not left for one that is not", async () => {
    const answers = [new Response(null, { status: 302, headers: { location: "http://127.0.0.1:9/a.zip" } })];
    const real = globalThis.fetch;
    globalThis.fetch = async () => answers.shift()!;
    const error = await failure(download("https://example.com/a.zip", path)).finally(() => {
      globalThis.fetch = real;
    });
    expect(error.message).toMatch(/the server redirects to no safe address \(http:/);
  });
});

function later(milliseconds: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), milliseconds);
  return controller.signal;
}

/** A zip archive written by yazl: file names and contents. */
async function zipOf(files: Record<string, Uint8Array>, options: { mode?: number; compress?: boolean } = {}) {
  const zip = new ZipFile();
  for (const [name, bytes] of Object.entries(files)) zip.addBuffer(Buffer.from(bytes), name, options);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The same archive with other names of the same length: yazl does not write bad ones. */
function renamed(archive: Buffer, from: string, to: string): Buffer {
  expect(to.length).toBe(from.length);
  return Buffer.from(archive.toString("latin1").replaceAll(from, to), "latin1");
}

describe("unzipPictures", () => {
  const png = (seed: number) => encodePng(noise(9, 7, 3, seed));
  const unzip = async (archive: Uint8Array, options = {}) => {
    const home = join(folder, `unzip${number++}`);
    mkdirSync(home);
    writeFileSync(join(home, "a.zip"), archive);
    const target = join(home, "pictures");
    return { home, target, done: unzipPictures(join(home, "a.zip"), target, options) };
  };

  test("PNG files come out unchanged, whatever their folder; other files are left out", async () => {
    const [a, b] = [await png(1), await png(2)];
    const text = Buffer.from("text");
    const archive = await zipOf({
      "D/X2/1.png": a,
      "D/X2/2.png": b,
      "D/readme.txt": text,
      "__MACOSX/D/._1.png": text,
    });
    const steps: number[][] = [];
    const { home, target, done } = await unzip(archive, {
      onProgress: (...step: number[]) => steps.push(step),
    });
    await done;
    expect((await readdir(target)).sort()).toEqual(["1.png", "2.png"]);
    expect(readFileSync(join(target, "1.png")).equals(a)).toBe(true);
    expect(readFileSync(join(target, "2.png")).equals(b)).toBe(true);
    expect(steps).toEqual([
      [1, 4],
      [2, 4],
    ]);
    expect((await readdir(home)).sort()).toEqual(["a.zip", "pictures"]);
  });

  test("stored archives, and what a killed program left behind", async () => {
    const a = await png(1);
    const { home, target, done } = await unzip(await zipOf({ "1.png": a }, { compress: false }));
    mkdirSync(join(home, "a.zip.unpacking"), { recursive: true });
    writeFileSync(join(home, "a.zip.unpacking", "half.png"), "");
    await done;
    expect(await readdir(target)).toEqual(["1.png"]);
  });

  const damaged = async (): Promise<[string, Buffer, RegExp][]> => {
    const good = await zipOf({ "aa/x.png": await png(1), "bb/y.png": await png(2) }, { compress: false });
    const at = good.indexOf("IDAT");
    const flipped = Buffer.from(good);
    flipped[at + 20] ^= 1;
    const deflated = await zipOf({ "aa/x.png": new Uint8Array(5000) });
    deflated[40] ^= 0xff;
    return [
      ["a flipped bit", flipped, /checksum of aa\/x\.png in it is wrong/],
      ["a broken stream", deflated, /cannot be unpacked/],
      ["cut short", good.subarray(0, -30), /cannot be unpacked/],
      ["no archive", Buffer.from("<html>not found</html>"), /cannot be unpacked/],
      ["empty", Buffer.alloc(0), /cannot be unpacked/],
      ["a way out", renamed(good, "bb/y.png", "../y.png"), /\.\.\/y\.png/],
      ["a way out, Windows style", renamed(good, "bb/y.png", "..\\y.png"), /\.\.\/y\.png/],
      ["an absolute path", renamed(good, "bb/y.png", "/b/y.png"), /absolute path/],
      ["a name twice", renamed(good, "bb/y.png", "bb/x.png"), /two files x\.png/],
      [
        "a symbolic link",
        await zipOf({ "a.png": Buffer.from("/etc/passwd") }, { mode: 0o120777 }),
        /symbolic link/,
      ],
      ["no pictures", await zipOf({ "a.txt": Buffer.from("text") }), /no pictures in it/],
    ];
  };

  test("damaged and malicious archives are refused, and nothing of them stays", async () => {
    for (const [name, archive, message] of await damaged()) {
      const { home, done } = await unzip(archive);
      const error = await failure(done);
      expect(error, name).toBeInstanceOf(DataError);
      expect(error.message, name).toMatch(message);
      expect(error.message, name).toMatch(
        /a\.zip: cannot be unpacked: .*download it again\. Nothing was unpacked\.$/,
      );
      expect(await readdir(home), name).toEqual(["a.zip"]);
      expect(existsSync(join(home, "y.png")), name).toBe(false);
    }
  });

  test("what the system refuses is no fault of the archive", async () => {
    const archive = await zipOf({ "1.png": await png(1) });
    const { home, target, done } = await unzip(archive);
    await done;
    const again = await failure(unzipPictures(join(home, "a.zip"), target));
    const reason = "there is a folder of this name with files in it. Move it away, or name another one.";
    expect(again.message).toBe(`${target}: cannot be written: ${reason}`);
    const missing = join(home, "b.zip");
    const error = await failure(unzipPictures(missing, join(home, "b")));
    expect(error.message).toBe(`${missing}: cannot be read: there is no such file. Check the path.`);
    expect((await readdir(home)).sort()).toEqual(["a.zip", "pictures"]);
  });

  test("abort", async () => {
    const controller = new AbortController();
    const archive = await zipOf({ "1.png": await png(1), "2.png": await png(2) });
    const { home, done } = await unzip(archive, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect((await failure(done)).name).toBe("AbortError");
    expect(await readdir(home)).toEqual(["a.zip"]);
  });
});

describe("archives that are larger than they look", () => {
  const home = () => join(folder, `bomb${number++}`);
  const unzip = async (archive: Uint8Array) => {
    const place = home();
    mkdirSync(place);
    writeFileSync(join(place, "a.zip"), archive);
    let error = new Error("none");
    const time = await cpuTime(async () => {
      error = await failure(unzipPictures(join(place, "a.zip"), join(place, "pictures")));
    });
    expect(time).toBeLessThan(2000);
    expect(error).toBeInstanceOf(DataError);
    expect(await readdir(place)).toEqual(["a.zip"]);
    return error.message;
  };
  /** Writes numbers into the archive's directory, at offsets from the beginning of its first entry. */
  const altered = (archive: Buffer, values: Record<number, number>) => {
    const copy = Buffer.from(archive);
    const at = copy.indexOf("PK\x01\x02", 0, "latin1");
    for (const [offset, value] of Object.entries(values)) copy.writeUInt32LE(value, at + Number(offset));
    return copy;
  };

  test("by the sizes in the directory, before anything is unpacked", async () => {
    const small = await zipOf({ "a.png": new Uint8Array(9) });
    const bomb = altered(small, { 24: 300 * 2 ** 20 });
    expect(await unzip(bomb)).toMatch(/its \d+ bytes would become 314572800, which no pictures do/);
    const many = await zipOf(
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.png`, new Uint8Array(15e6)])),
    );
    expect(await unzip(many)).toMatch(/would become 300000000/);
    const huge = altered(small, { 24: 0xfffffffe });
    expect(await unzip(huge)).toMatch(/which no pictures do/);
  });

  test("sizes that lie are noticed when the content arrives", async () => {
    const small = altered(await zipOf({ "a.png": new Uint8Array(5e6) }), { 24: 100 });
    expect(await unzip(small)).toMatch(/too many bytes/);
  });

  test("a number of files that no directory has room for", async () => {
    const archive = await zipOf(
      Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`${i}.png`, new Uint8Array(3)])),
    );
    const end = archive.indexOf("PK\x05\x06", 0, "latin1");
    archive.writeUInt16LE(65534, end + 8);
    archive.writeUInt16LE(65534, end + 10);
    expect(await unzip(archive)).toMatch(/cannot be unpacked/);
  });

  test("a directory or a file at a place that no archive has, beyond 2^53", async () => {
    const archive = await zipOf({ "a.png": new Uint8Array(3) });
    const end = archive.indexOf("PK\x05\x06", 0, "latin1");
    // ZIP64: a locator before the end's record says where another such record is.
    const locator = Buffer.alloc(20);
    locator.write("PK\x06\x07", 0, "latin1");
    locator.writeBigUInt64LE(3n << 56n, 8);
    const far = Buffer.concat([archive.subarray(0, end), locator, archive.subarray(end)]);
    expect(await unzip(far)).toMatch(/cannot be unpacked: it names places beyond its end/);
    const farFile = altered(await zipOf({ "a.png": new Uint8Array(3) }), { 42: 0x7ffffff0 });
    expect(await unzip(farFile)).toMatch(/cannot be unpacked: it names places beyond its end/);
  });

  test("names do not reach a terminal as they are", async () => {
    const archive = await zipOf({ "x1.png": new Uint8Array(3), "a/x2.png": new Uint8Array(3) });
    expect(await unzip(renamed(renamed(archive, "x1.png", "\u001b[.png"), "x2.png", "\u001b[.png"))).toMatch(
      /two files \\x1b\[\.png/,
    );
  });
});

describe("downloadDiv2k", () => {
  const names = { train: "0001", valid: "0801" } as const;
  let archives: Record<string, Uint8Array>;

  beforeAll(async () => {
    archives = {};
    const put = async (archive: string, files: Record<string, [size: number, seed: number]>) => {
      const entries = Object.entries(files).map(async ([name, [size, seed]]) => {
        return [name, await encodePng(noise(size, size, 3, seed))] as const;
      });
      archives[`/mirror/${archive}.zip`] = await zipOf(Object.fromEntries(await Promise.all(entries)));
    };
    for (const [split, name] of Object.entries(names)) {
      const d = `DIV2K_${split}`;
      await put(`${d}_HR`, { [`${d}_HR/${name}.png`]: [24, 1] });
      for (const track of ["bicubic", "unknown"]) {
        for (const scale of [2, 3, 4]) {
          const path = `${d}_LR_${track}/X${scale}/${name}x${scale}.png`;
          await put(`${d}_LR_${track}_X${scale}`, { [path]: [24 / scale, scale] });
        }
      }
      await put(`${d}_LR_x8`, { [`${d}_LR_x8/${name}x8.png`]: [3, 8] });
      await put(`${d}_LR_mild`, { [`${d}_LR_mild/${name}x4m.png`]: [6, 9] });
      await put(`${d}_LR_difficult`, { [`${d}_LR_difficult/${name}x4d.png`]: [6, 10] });
    }
    const wild = [1, 2, 3, 4].map((k) => [`DIV2K_train_LR_wild/0001x4w${k}.png`, [6, 10 + k]] as const);
    await put("DIV2K_train_LR_wild", Object.fromEntries(wild) as Record<string, [number, number]>);
    await put("DIV2K_valid_LR_wild", { "DIV2K_valid_LR_wild/0801x4w.png": [6, 15] });
  });

  let root: string;
  beforeEach(() => {
    root = join(folder, `div2k${number++}`);
    behaviour.files = archives;
  });
  const get = (options: Partial<Parameters<typeof downloadDiv2k>[1]> = {}) =>
    downloadDiv2k(root, {
      scales: [2],
      baseUrl: `${base}mirror`,
      backoff: 1,
      ...options,
      onProgress(progress) {
        received = progress.done;
        options.onProgress?.(progress);
      },
    });

  test("everything published, as openDiv2k reads it, over a bad line", async () => {
    Object.assign(behaviour, { cuts: 40, cutAfter: 300 });
    const tracks = ["bicubic", "unknown", "mild", "difficult", "wild"] as const;
    await get({ tracks, scales: [2, 3, 4, 8] });
    for (const split of ["train", "valid"] as const) {
      for (const [track, scale] of [
        ["bicubic", 2],
        ["bicubic", 3],
        ["bicubic", 4],
        ["bicubic", 8],
        ["unknown", 2],
        ["unknown", 3],
        ["unknown", 4],
        ["mild", 4],
        ["difficult", 4],
        ["wild", 4],
      ] as const) {
        const dataset = openDiv2k(root, { split, track, scale });
        expect(dataset.length).toBe(track === "wild" && split === "train" ? 4 : 1);
        const { high, low } = await dataset.load(0);
        expect([high.width, low.width]).toEqual([24, 24 / scale]);
        expect(high).toEqual(noise(24, 24, 3, 1));
      }
    }
    expect((await readdir(root)).some((name) => /zip|part|unpacking/.test(name))).toBe(false);
    expect(behaviour.cuts).toBe(0);
    requests = [];
    await get({ tracks, scales: [2, 3, 4, 8] });
    expect(requests).toEqual([]); // all folders are there
  });

  test("only what was requested, with progress; existing archives are used", async () => {
    const steps: Div2kProgress[] = [];
    await get({ splits: ["valid"], high: false, keepArchives: true, onProgress: (step) => steps.push(step) });
    expect((await readdir(root)).sort()).toEqual(["DIV2K_valid_LR_bicubic", "DIV2K_valid_LR_bicubic_X2.zip"]);
    const size = archives["/mirror/DIV2K_valid_LR_bicubic_X2.zip"].length;
    const job = { archive: "DIV2K_valid_LR_bicubic_X2", index: 0, count: 1 };
    expect(steps[0]).toEqual({ ...job, step: "download", done: 0, total: size });
    expect(steps).toContainEqual({ ...job, step: "download", done: size, total: size });
    expect(steps.at(-1)).toEqual({ ...job, step: "unpack", done: 1, total: 1 });
    rmSync(join(root, "DIV2K_valid_LR_bicubic"), { recursive: true });
    requests = [];
    await get({ splits: ["valid"], high: false });
    expect(requests).toEqual([]);
    expect(await readdir(root)).toEqual(["DIV2K_valid_LR_bicubic"]);
  });

  test("an archive can have its own address", async () => {
    behaviour.files = { ...archives, "/elsewhere?id=7": archives["/mirror/DIV2K_valid_HR.zip"] };
    await get({ splits: ["valid"], urls: { DIV2K_valid_HR: `${base}elsewhere?id=7` } });
    expect(requests.map(({ url }) => url)).toEqual([
      "/elsewhere?id=7",
      "/mirror/DIV2K_valid_LR_bicubic_X2.zip",
    ]);
    expect(openDiv2k(root, { split: "valid", scale: 2 }).length).toBe(1);
  });

  test("a damaged archive is named, and complete ones stay", async () => {
    const bad = Buffer.from(archives["/mirror/DIV2K_valid_LR_bicubic_X2.zip"]);
    bad[90] ^= 1; // in the compressed bytes, behind the name
    behaviour.files = { ...archives, "/mirror/DIV2K_valid_LR_bicubic_X2.zip": bad };
    const error = await failure(get({ splits: ["valid"] }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/DIV2K_valid_LR_bicubic_X2\.zip: cannot be unpacked/);
    expect((await readdir(root)).sort()).toEqual(["DIV2K_valid_HR", "DIV2K_valid_LR_bicubic_X2.zip"]);
  });

  test("a missing archive, an abort, and tracks or scales that do not exist", async () => {
    behaviour.files = {};
    expect((await failure(get())).message).toMatch(/DIV2K_train_HR\.zip: .*404/);
    expect((await failure(get({ signal: AbortSignal.abort() }))).name).toBe("AbortError");
    await expect(get({ tracks: ["mild"] })).rejects.toThrow(/"mild" at scale 4, not at 2/);
    await expect(get({ tracks: ["mild"], scales: [2, 4] })).rejects.toThrow(
      /none of the tracks mild at scale 2/,
    );
    await expect(get({ tracks: ["tame" as "mild"] })).rejects.toThrow(
      /^downloadDiv2k: tracks must be a list whose items are each bicubic, .* or wild, got \["tame"\]/,
    );
  });

  test.each([
    [{ splits: ["tset"] }, /splits must be a list whose items are each train or valid, got \["tset"\]/],
    [{ splits: "train" }, /splits must be a list .*, got "train"/],
    [{ splits: [] }, /splits is empty/],
    [{ high: "no" }, /high must be true or false, got "no"/],
    [{ keepArchives: 1 }, /keepArchives must be true or false, got 1/],
    [{ baseUrl: "mirror" }, /baseUrl must be an address that begins with "https:\/\/", got "mirror"/],
    [{ urls: { DIV2K_train_HR: 3 } }, /urls must be addresses by the names of archives/],
    [{ signature: { bytes: [80], of: "a zip archive" } }, /there is no option "signature"/],
  ])("%j is refused before anything is fetched", async (options, message) => {
    const error = await failure(
      downloadDiv2k(root, { scales: [2], baseUrl: `${base}mirror`, ...options } as never),
    );
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(message);
    expect(requests).toEqual([]);
  });
});
