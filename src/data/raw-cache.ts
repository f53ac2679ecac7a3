import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { makeFolder } from "../files/image-files.ts";
import { MAX_NAME_BYTES } from "../files/path-of.ts";
import { shorten } from "../files/temporary.ts";
import { DataError } from "../picture/errors.ts";
import type { OpenPair } from "./cut.ts";
import type { DecodePool } from "./decode-pool.ts";
import { formatOnly, type PairFiles, type PairFormat } from "./pairs.ts";
import { readRawHeader } from "./raw-file.ts";

/**
 * Raise it when the same files begin to give other pictures, so that older caches are not taken for new ones.
 */
const VERSION = 3;

/**
 * Opens a pair (without a format, its HR picture alone) that is kept decoded in a file of `folder`, which is
 * made when it is first asked for. It is made again if a picture it was made from has another size or date since.
 * Other scales, colours or degradations have files of their own. Old files are not removed; the whole folder may be
 * deleted at any time.
 */
export async function openCached(
  folder: string,
  files: PairFiles,
  pairFormat: PairFormat | undefined,
  pool: DecodePool,
): Promise<OpenPair> {
  const { name, low, high } = files;
  const format = pairFormat && formatOnly(pairFormat);
  const degradation = format && files.degradation;
  const contents = [VERSION, format, degradation, resolve(high), low && resolve(low)];
  const mark = `-${digest(contents).slice(0, 16)}.raw`;
  const path = join(folder, `${shorten(basename(name), MAX_NAME_BYTES - mark.length)}${mark}`);
  const source = digest([contents, await stamp(high), low && (await stamp(low))]);

  let cached = await readRawHeader(path);
  if (cached?.source !== source) {
    makeFolder(folder, "Choose another cacheFolder.");
    await pool.save(files, format, { path, source });
    cached = await readRawHeader(path);
  }
  if (cached === undefined) throw new DataError(`${path}: this file of the cache was removed while in use.`);
  const { low: lowSize, high: highSize } = cached;
  return { low: lowSize, high: highSize, raw: { path, header: cached } };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** What changes when a file is changed. Empty for a missing file: reading it reports that. */
async function stamp(path: string): Promise<number[]> {
  const stats = await stat(path).catch(() => undefined);
  return stats ? [stats.size, stats.mtimeMs] : [];
}
