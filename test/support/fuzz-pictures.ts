/** Picture files that are damaged at random, and what must hold for all of them. */
import sharp, { type Sharp } from "sharp";
import { decodeImage } from "../../src/files/image-files.ts";
import { decodePictureFile } from "../../src/files/picture-file.ts";
import { DataError } from "../../src/picture/errors.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import type { Random } from "../../src/tensor/random.ts";
import { exifOf, photoshopCaption, segment, withSegments } from "./exif.ts";
import { pngChunk, uint32s } from "./png.ts";

export const fuzzedFormats = ["png", "jpeg", "webp", "tiff", "avif", "gif", "bmp", "pnm"] as const;

type Seeds = Readonly<Record<PictureFormat, readonly Buffer[]>>;

/** A few small pictures of each format, with metadata. */
export async function drawSeeds(): Promise<Seeds> {
  const [width, height] = [40, 28];
  const samples = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 7 + (i >> 5) * 3) & 255);
  const rgb = sharp(samples.subarray(0, width * height * 3), { raw: { width, height, channels: 3 } });
  const rgba = sharp(samples, { raw: { width, height, channels: 4 } });
  const grey = sharp(samples.subarray(0, width * height), { raw: { width, height, channels: 1 } });
  const deep = rgb.clone().toColourspace("rgb16");
  const exif = exifOf({
    first: [
      [0x10f, "ACME"],
      [0x112, [6]],
      [0x11a, { rational: [300, 1] }],
    ],
    camera: [[0x927c, { raw: Buffer.alloc(30, "note") }]],
    place: [[1, "N"]],
    thumbnail: Buffer.from("ffd8ffd9", "hex"),
  });
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>';
  const full = (picture: Sharp) =>
    picture
      .clone()
      .withIccProfile("p3")
      .withXmp(xmp)
      .withExif({ IFD0: { Copyright: "me" } });
  const png = await rgb.clone().png().toBuffer();
  const chunks = [
    pngChunk("gAMA", uint32s(100_000)),
    pngChunk("cHRM", uint32s(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
    pngChunk("acTL", uint32s(3, 0)),
    pngChunk("tEXt", "Comment\0text"),
    pngChunk(
      "zTXt",
      Buffer.concat([Buffer.from("Title\0\0"), Buffer.from("789c4bcc4bcb2c4a0500078d0235", "hex")]),
    ),
    pngChunk("iTXt", "Author\0\0\0\0\0someone"),
    pngChunk("eXIf", exif),
  ];
  const jpeg = await rgb.clone().jpeg().toBuffer();
  const join = [await png, await grey.clone().png().toBuffer()];
  const bmp = (bits: number, compression: number, rest: Buffer) => {
    const head = Buffer.from(
      "424d000000000000000036000000280000000800000004000000010018000000000000000000232e0000232e00000000000000000000",
      "hex",
    );
    head.writeUInt16LE(bits, 28);
    head.writeUInt32LE(compression, 30);
    head.writeUInt32LE(bits <= 8 ? 54 + 4 * 2 ** bits : 54, 10);
    return Buffer.concat([head, rest]);
  };
  const bytes = Buffer.from(samples);
  return {
    png: [
      png,
      Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]),
      await deep.clone().png().toBuffer(),
      await rgb.clone().png({ palette: true }).toBuffer(),
      await rgba.clone().png({ progressive: true }).toBuffer(),
      await full(grey.clone().toColourspace("b-w")).png().toBuffer(),
    ],
    jpeg: [
      jpeg,
      withSegments(jpeg, segment(0xe1, "Exif\0\0", exif), segment(0xed, photoshopCaption("caption"))),
      await full(rgb).jpeg({ progressive: true }).toBuffer(),
      await rgb.clone().toColourspace("cmyk").jpeg().toBuffer(),
      await grey.clone().toColourspace("b-w").jpeg().toBuffer(),
    ],
    webp: [
      await rgb.clone().webp().toBuffer(),
      await full(rgba).webp({ lossless: true }).toBuffer(),
      await sharp(join, { join: { animated: true } })
        .webp()
        .toBuffer(),
    ],
    tiff: [
      await full(rgb).tiff({ compression: "none" }).toBuffer(),
      await deep.clone().tiff({ compression: "lzw", predictor: "horizontal" }).toBuffer(),
      await rgba.clone().tiff({ compression: "deflate", bigtiff: true }).toBuffer(),
      await rgb
        .clone()
        .tiff({ compression: "packbits", tile: true, tileWidth: 16, tileHeight: 16 })
        .toBuffer(),
    ],
    avif: [await full(rgb).avif({ effort: 0 }).toBuffer(), await rgba.clone().avif({ effort: 0 }).toBuffer()],
    gif: [
      await rgb.clone().gif().toBuffer(),
      await sharp(join, { join: { animated: true } })
        .gif()
        .toBuffer(),
    ],
    bmp: [
      bmp(24, 0, bytes.subarray(0, 96)),
      bmp(32, 3, Buffer.concat([uint32s(0xff00, 0xff0000, 0xff000000), bytes.subarray(0, 128)])),
      bmp(8, 0, bytes.subarray(0, 1024 + 32)),
      bmp(
        8,
        1,
        Buffer.concat([
          bytes.subarray(0, 1024),
          Buffer.from("0803000004010402000000040102030400000001", "hex"),
        ]),
      ),
      bmp(4, 2, Buffer.concat([bytes.subarray(0, 64), Buffer.from("0812000008340000000201010001", "hex")])),
      bmp(1, 0, bytes.subarray(0, 8 + 16)),
    ],
    pnm: [
      Buffer.concat([Buffer.from("P6\n# comment\n8 4\n255\n"), bytes.subarray(0, 96)]),
      Buffer.concat([Buffer.from("P5 8 4 65535\n"), bytes.subarray(0, 64)]),
      Buffer.concat([Buffer.from("P4 8 4\n"), bytes.subarray(0, 4)]),
      Buffer.from(`P3 4 2 255 ${[...bytes.subarray(0, 24)].join(" ")}`),
      Buffer.from("P1 4 2 1 0 1 0 0 1 0 1"),
      Buffer.concat([
        Buffer.from("P7\nWIDTH 4\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nENDHDR\n"),
        bytes.subarray(0, 32),
      ]),
    ],
  };
}

/** One of the seeds with a few changes: bits, bytes, numbers, pieces left out, repeated or cut off. */
export function damaged(seeds: readonly Buffer[], random: Random): Buffer {
  let bytes = Buffer.from(seeds[random.int(seeds.length)]);
  const isPng = bytes[0] === 0x89;
  const changes = 1 + random.int(4);
  for (let i = 0; i < changes && bytes.length > 4; i++) {
    // Headers are where a byte means most.
    const at = random.int(random.int(2) === 0 ? Math.min(bytes.length, 80) : bytes.length);
    const kind = random.int(8);
    if (kind === 0) bytes[at] ^= 1 << random.int(8);
    else if (kind === 1) bytes[at] = random.int(256);
    else if (kind === 2) bytes[at] = [0, 1, 127, 128, 255][random.int(5)];
    else if (kind === 3)
      bytes.fill([0, 255][random.int(2)], at, Math.min(bytes.length, at + [2, 4, 8][random.int(3)]));
    else if (kind === 4) bytes = bytes.subarray(0, at);
    else if (kind === 5)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.int(20))]);
    else if (kind === 6) bytes.copyWithin(at, random.int(bytes.length), bytes.length);
    else {
      const piece = bytes.subarray(at, at + 1 + random.int(60));
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    }
  }
  // Decoders look no further where a checksum is wrong.
  return isPng && random.int(4) > 0 ? withChecksums(bytes) : bytes;
}

function withChecksums(png: Buffer): Buffer {
  const parts = [png.subarray(0, 8)];
  let at = 8;
  for (; at + 12 <= png.length; ) {
    const length = png.readUInt32BE(at);
    if (at + 12 + length > png.length) break;
    parts.push(pngChunk(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)));
    at += 12 + length;
  }
  return Buffer.concat([...parts, png.subarray(at)]);
}

/** Reads the bytes in all ways. Returns whether they are a picture. @throws Error for a wrong answer */
export async function readDamaged(bytes: Buffer): Promise<boolean> {
  const plain = await answerOf(decodeImage(bytes, "fuzz"));
  for (const target of ["png", "webp", "srgb"] as const) {
    const answer = await answerOf(decodePictureFile(bytes, "fuzz", { target }).then(({ image }) => image));
    if ((answer === undefined) !== (plain === undefined)) throw new Error(`${target} and readImage disagree`);
    if (answer && plain && (answer.width !== plain.width || answer.height !== plain.height)) {
      throw new Error(`${answer.width}x${answer.height} for ${target}, and ${plain.width}x${plain.height}`);
    }
  }
  return plain !== undefined;
}

/** A picture, or undefined for a DataError. */
async function answerOf(promise: Promise<Image<Samples>>): Promise<Image<Samples> | undefined> {
  try {
    const image = await promise;
    if (image.data.length !== image.width * image.height * image.channels) {
      throw new Error(`${image.data.length} samples for ${image.width}x${image.height}x${image.channels}`);
    }
    return image;
  } catch (error) {
    if (!(error instanceof DataError) || !error.message.startsWith("fuzz: ")) throw error;
    return undefined;
  }
}
