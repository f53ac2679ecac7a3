import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  checkPublished,
  type Div2kSplit,
  type Div2kTrack,
  div2kScales,
  hrArchive,
  lrArchive,
  lrFoldersOf,
} from "./div2k.ts";
import { type DownloadOptions, download } from "./download.ts";
import { unzipPictures } from "./unzip.ts";

export interface Div2kDownloadOptions extends Omit<DownloadOptions, "onProgress"> {
  /** Default ["train", "valid"]. */
  splits?: readonly Div2kSplit[];
  /** Default ["bicubic"]. */
  tracks?: readonly Div2kTrack[];
  /** Of these, each track's own are taken; a track or a scale that takes no part is an error. */
  scales: readonly number[];
  /** The large pictures, too: 3.5 GB for training, 0.4 GB for validation. Default true. */
  high?: boolean;
  /** Where the archives lie, such as a mirror: the address up to their names. */
  baseUrl?: string;
  /** Addresses of single archives by name ("DIV2K_train_HR"), where they lie elsewhere. */
  urls?: Readonly<Record<string, string>>;
  /** Keep the archives in `root` after unpacking. Default false. */
  keepArchives?: boolean;
  onProgress?: (progress: Div2kProgress) => void;
}

/** How far downloadDiv2k is. */
export interface Div2kProgress {
  /** Such as "DIV2K_train_HR". */
  archive: string;
  /** Its number, from 0, and how many there are to do. */
  index: number;
  count: number;
  /** Bytes come in, files are unpacked. */
  step: "download" | "unpack";
  done: number;
  /** Undefined if the server does not tell the size. */
  total: number | undefined;
}

const official = "https://data.vision.ee.ethz.ch/cvl/DIV2K/";

/**
 * Downloads DIV2K's archives and unpacks them in `root`, as openDiv2k reads them. Folders that are there are
 * left as they are, and so are archives that are there, which are only unpacked; a download that was cut off
 * goes on where it stopped. A folder appears when it is complete. DIV2K is for academic research only.
 *
 * @throws DataError if an archive cannot be fetched (see download) or unpacked (see unzipPictures); what is
 *   complete by
 *   then stays. The signal's reason if it is aborted.
 */
export async function downloadDiv2k(root: string, options: Div2kDownloadOptions): Promise<void> {
  const { baseUrl = official, urls = {}, keepArchives = false, onProgress } = options;
  const { signal, retries, backoff } = options;
  const missing = wanted(options).filter(
    ({ folders }) => !folders.some((folder) => existsSync(join(root, folder))),
  );
  for (const [index, { archive, folders }] of missing.entries()) {
    const report = (step: Div2kProgress["step"]) => (done: number, total: number | undefined) =>
      onProgress?.({ archive, index, count: missing.length, step, done, total });
    const path = join(root, `${archive}.zip`);
    if (!existsSync(path)) {
      const url =
        urls[archive] ?? new URL(`${archive}.zip`, baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`).href;
      await download(url, path, { signal, retries, backoff, onProgress: report("download") });
    }
    await unzipPictures(path, join(root, folders.at(-1)!), { signal, onProgress: report("unpack") });
    if (!keepArchives) await rm(path);
  }
}

interface Archive {
  archive: string;
  /** Where its pictures may lie; the last is where they are unpacked to. */
  folders: string[];
}

function wanted(options: Div2kDownloadOptions): Archive[] {
  const { splits = ["train", "valid"], tracks = ["bicubic"], scales, high = true } = options;
  for (const track of tracks) {
    if (!scales.some((scale) => div2kScales[track]?.includes(scale))) checkPublished(track, scales[0]);
  }
  const useless = scales.find((scale) => !tracks.some((track) => div2kScales[track].includes(scale)));
  if (useless !== undefined) {
    throw new RangeError(
      `DIV2K has none of the tracks ${tracks.join(", ")} at scale ${useless}; leave it out.`,
    );
  }
  return splits.flatMap((split) => [
    ...(high ? [{ archive: hrArchive(split), folders: [hrArchive(split)] }] : []),
    ...tracks.flatMap((track) =>
      scales
        .filter((scale) => div2kScales[track].includes(scale))
        .map((scale) => ({
          archive: lrArchive(split, track, scale),
          folders: lrFoldersOf(split, track, scale),
        })),
    ),
  ]);
}
