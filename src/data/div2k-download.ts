import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pathArgument } from "../files/path-of.ts";
import {
  ArgumentError,
  aFunction,
  aSignal,
  checkOptions,
  isPlain,
  listOf,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { folder as aFolder, atLeastZero, reach, whole } from "../options/kinds.ts";
import {
  aSplit,
  aTrack,
  checkPublished,
  type Div2kSplit,
  type Div2kTrack,
  div2kScales,
  highArchive,
  lowArchive,
  lowFoldersOf,
  unpackedIn,
} from "./div2k.ts";
import { anAddress, type DownloadOptions, download } from "./download.ts";
import { unzipPictures } from "./unzip.ts";

export interface Div2kDownloadOptions extends Omit<DownloadOptions, "onProgress" | "signature"> {
  /** Default ["train", "valid"]. */
  splits?: readonly Div2kSplit[];
  /** Default ["bicubic"]. */
  tracks?: readonly Div2kTrack[];
  /** Scales, of which each track is taken in those that it has; a track or a scale that finds no match is an error. */
  scales: readonly number[];
  /** The HR pictures, too: 3.5 GB for training, 0.4 GB for validation. Default true. */
  high?: boolean;
  /** Where the archives are, such as a mirror: the address up to their names. */
  baseUrl?: string;
  /** Addresses of single archives that are elsewhere, by name ("DIV2K_train_HR"). */
  urls?: Readonly<Record<string, string>>;
  /** Keep the archives in `root` after unpacking. Default false. */
  keepArchives?: boolean;
  onProgress?: (progress: Div2kProgress) => void;
}

const addresses: Wanted<Readonly<Record<string, string>>> = {
  wants: "addresses by the names of archives",
  fits: (value): value is Record<string, string> =>
    isPlain(value) && Object.values(value).every(anAddress.fits),
};

const optionsWanted: Readonly<Record<keyof Div2kDownloadOptions, Wanted>> = {
  splits: listOf(aSplit),
  tracks: listOf(aTrack),
  scales: listOf(whole(1)),
  high: trueOrFalse,
  baseUrl: anAddress,
  urls: addresses,
  keepArchives: trueOrFalse,
  onProgress: aFunction,
  onMessage: aFunction,
  signal: aSignal,
  retries: reach,
  backoff: atLeastZero,
  silence: whole(1, 2 ** 31 - 1), // what a timer can count
  maxBytes: reach,
};

/** How far downloadDiv2k is. */
export interface Div2kProgress {
  /** Such as "DIV2K_train_HR". */
  archive: string;
  /** Its number, from 0, of `count` archives. */
  index: number;
  count: number;
  /** Progress is counted in bytes for "download", in files for "unpack". */
  step: "download" | "unpack";
  done: number;
  /** Bytes of the file; undefined if the server does not send the size. */
  total: number | undefined;
}

/** Each entry of a zip archive begins so. */
const signature = { bytes: [0x50, 0x4b, 0x03, 0x04], of: "a zip archive" };

const official = "https://data.vision.ee.ethz.ch/cvl/DIV2K/";

/**
 * Downloads DIV2K's archives and unpacks them in `root`, as openDiv2k reads them. Existing folders are left
 * as they are, existing archives are only unpacked, and a download that was cut off goes on where it stopped.
 * A folder appears when it is complete. DIV2K is for academic research only.
 *
 * @throws DataError if an archive cannot be fetched (see download) or unpacked (see unzipPictures); what was
 *   complete before stays. The signal's reason if it is aborted. RangeError for a track or a scale that was not
 *   published.
 */
export async function downloadDiv2k(root: string | URL, options: Div2kDownloadOptions): Promise<void> {
  checkOptions("downloadDiv2k", options, optionsWanted, ["scales"]);
  const place = pathArgument("downloadDiv2k", "root", root, aFolder);
  for (const name of ["splits", "tracks", "scales"] as const) {
    if (options[name]?.length !== 0) continue;
    throw new ArgumentError("downloadDiv2k", `${name} is empty; name at least one.`);
  }
  const { baseUrl = official, urls = {}, keepArchives = false, onProgress, signal } = options;
  const missing = requested(options).filter(
    ({ archive, folders }) => unpackedIn(place, archive, folders) === undefined,
  );
  for (const [index, { archive, folders }] of missing.entries()) {
    const report = (step: Div2kProgress["step"]) => (done: number, total: number | undefined) =>
      onProgress?.({ archive, index, count: missing.length, step, done, total });
    const path = join(place, `${archive}.zip`);
    if (!existsSync(path)) {
      const url = urls[archive] ?? `${baseUrl.replace(/\/?$/, "/")}${archive}.zip`;
      await download(url, path, { ...options, signature, onProgress: report("download") });
    }
    await unzipPictures(path, join(place, folders.at(-1)!), { signal, onProgress: report("unpack") });
    if (!keepArchives) await rm(path);
  }
}

/** Archives with the folders in which their pictures may be; they are unpacked to the last one. */
function requested(options: Div2kDownloadOptions): { archive: string; folders: string[] }[] {
  const { splits = ["train", "valid"], tracks = ["bicubic"], scales, high = true } = options;
  for (const track of tracks) {
    if (!scales.some((scale) => div2kScales[track].includes(scale)))
      checkPublished("downloadDiv2k", track, scales[0]);
  }
  const unmatched = scales.find((scale) => !tracks.some((track) => div2kScales[track].includes(scale)));
  if (unmatched !== undefined) {
    throw new ArgumentError(
      "downloadDiv2k",
      `DIV2K has none of the tracks ${tracks.join(", ")} at scale ${unmatched}; leave it out.`,
    );
  }
  return splits.flatMap((split) => {
    const low = tracks.flatMap((track) =>
      scales
        .filter((scale) => div2kScales[track].includes(scale))
        .map((scale) => ({
          archive: lowArchive(split, track, scale),
          folders: lowFoldersOf(split, track, scale),
        })),
    );
    return high ? [{ archive: highArchive(split), folders: [highArchive(split)] }, ...low] : low;
  });
}
