/** Pictures of many kinds, enlarged by the command line, to compare the page with. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { Report } from "../../src/cli/upscale-files.ts";
import type { Note } from "../../src/files/picture-file.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { testPicture } from "./test-picture.ts";

export interface CliResult {
  readonly name: string;
  /** The picture's file, and the enlarged one's: by the interpolation, also to a size in pixels, and by the network. */
  readonly input: readonly number[];
  readonly bicubic: readonly number[];
  readonly sized: readonly number[];
  readonly network: readonly number[];
  /** What it says of the results in other formats. */
  readonly notes: Readonly<Record<"jpeg" | "webp", readonly Note[]>>;
}

const [width, height] = [61, 47];

function samples(channels: Image["channels"], depth: 8 | 16): Image<Samples> {
  const rgb = testPicture(width, height);
  const length = width * height * channels;
  const data = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) {
      const isAlpha = channels % 2 === 0 && c === channels - 1;
      // All alphas, also the small ones, at which a canvas loses colours.
      const value = isAlpha ? ((i % width) * 255) / (width - 1) : rgb.data[3 * i + Math.min(c, 2)];
      data[i * channels + c] = depth === 8 ? value : value * 257 - ((i * 37) % 200) * (value / 255);
    }
  }
  return { width, height, channels, data };
}

function raw(channels: Image["channels"], depth: 8 | 16 = 8) {
  const { data } = samples(channels, depth);
  const picture = sharp(data, { raw: { width, height, channels } });
  return channels <= 2
    ? picture.toColourspace(depth === 8 ? "b-w" : "grey16")
    : depth === 8
      ? picture
      : picture.toColourspace("rgb16");
}

/** Written by sharp, as cameras and programs write them. */
async function pictures(): Promise<Record<string, Buffer>> {
  const exif = { IFD0: { Make: "pixelgrad", ImageDescription: "waves" }, IFD3: { GPSLatitudeRef: "N" } };
  const turned = (await sharp(samples(3, 8).data, { raw: { width, height, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .withExifMerge(exif)
    .jpeg({ quality: 90 })
    .toBuffer()) as Buffer;
  return {
    "grey.png": await raw(1).png().toBuffer(),
    "grey-alpha.png": await raw(2).png().toBuffer(),
    "rgb.png": await raw(3).withDensity(240).png().toBuffer(),
    "rgba.png": await raw(4).png().toBuffer(),
    "opaque.png": await raw(3).ensureAlpha().png().toBuffer(),
    "grey-16.png": await raw(1, 16).png().toBuffer(),
    "rgb-16.png": await raw(3, 16).png().toBuffer(),
    "rgba-16.png": await raw(4, 16).png().toBuffer(),
    "palette.png": await raw(3).png({ palette: true }).toBuffer(),
    "interlaced.png": await raw(3).png({ progressive: true }).toBuffer(),
    "p3.png": await raw(3).withIccProfile("p3", { attach: true }).png().toBuffer(),
    "p3-jpeg.jpg": await raw(3).withIccProfile("p3", { attach: true }).jpeg({ quality: 95 }).toBuffer(),
    "grey-jpeg.jpg": await raw(1).jpeg().toBuffer(),
    "turned.jpg": turned,
    "webp-turned.webp": await raw(3)
      .withMetadata({ orientation: 6, density: 240 })
      .withExifMerge(exif)
      .webp({ lossless: true })
      .toBuffer(),
    "comment.jpg": withComment(await raw(3).jpeg().toBuffer()),
    "lossy.webp": await raw(3).webp({ quality: 80 }).toBuffer(),
    "alpha.webp": await raw(4).webp({ lossless: true, exact: true }).toBuffer(),
  };
}

function withComment(jpeg: Buffer): Buffer {
  const text = Buffer.from("waves");
  const head = Buffer.of(0xff, 0xfe, 0, text.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}

/** `weights`: of a network that enlarges by 2. */
export async function cliResults(weights: Uint8Array): Promise<CliResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "pixelgrad-page-"));
  const at = (...path: string[]) => join(folder, ...path);
  try {
    const files = await pictures();
    await mkdir(at("pictures"));
    for (const [name, bytes] of Object.entries(files)) await writeFile(at("pictures", name), bytes);
    await writeFile(at("own.safetensors"), weights);
    await run(["upscale", at("pictures"), "-m", "bicubic", "-s", "2", "-o", at("bicubic")]);
    await run(["upscale", at("pictures"), "-m", "bicubic", ...["--width", "100"], "-o", at("sized")]);
    await run(["upscale", at("pictures"), "-m", at("own.safetensors"), "-o", at("network")]);
    const notesIn = async (format: "jpeg" | "webp") => {
      const to = ["--format", format, "-o", at(format), "--json", at(`${format}.json`)];
      await run(["upscale", at("pictures"), "-m", "bicubic", "-s", "2", ...to]);
      const reports: Report[] = JSON.parse(await readFile(at(`${format}.json`), "utf8"));
      return new Map(reports.map(({ input, notes = [] }) => [basename(input), notes]));
    };
    const [jpeg, webp] = [await notesIn("jpeg"), await notesIn("webp")];
    return await Promise.all(
      Object.entries(files).map(async ([name, bytes]) => {
        const result = async (method: string) => [...(await readFile(at(method, `${parse(name).name}.png`)))];
        return {
          name,
          input: [...bytes],
          bicubic: await result("bicubic"),
          sized: await result("sized"),
          network: await result("network"),
          notes: { jpeg: jpeg.get(name)!, webp: webp.get(name)! },
        };
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(args: readonly string[]): Promise<void> {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(said))));
  });
}
