/** What AVIF files say in boxes of the shape of pixels, and of how the picture is turned: libvips does not tell. */
import { propertiesOfMain } from "./boxes.ts";
import { type Density, ratioOf } from "./density.ts";
import type { FileMetadata } from "./metadata.ts";
import { asBuffer, readFrom } from "./read.ts";

/** With the ratio of pixels' sides, as they are stored, unless EXIF data state a resolution. */
export function withPixelsOfAvif(bytes: Uint8Array, content: FileMetadata): FileMetadata {
  const ratio = ratioOfAvif(bytes);
  if (!ratio) return content;
  const { density } = content.metadata;
  if (!density) return { ...content, metadata: { ...content.metadata, density: ratio } };
  const isSame = Math.abs(density.x / density.y / (ratio.x / ratio.y) - 1) < 0.01;
  return isSame ? content : { ...content, gaps: [...content.gaps, otherRatio] };
}

const otherRatio = "the ratio of its pixels' sides, which EXIF data contradict";

function ratioOfAvif(bytes: Uint8Array): Density | undefined {
  const box = propertiesOfMain(readFrom(bytes), bytes.length).find(({ type }) => type === "pasp");
  if (!box || box.start + 8 > bytes.length) return undefined;
  const file = asBuffer(bytes);
  const [width, height] = [file.readUInt32BE(box.start), file.readUInt32BE(box.start + 4)];
  return width > 0 && height > 0 ? ratioOf(height, width) : undefined; // wider pixels are fewer in a row
}

/**
 * How decoders turn a picture, 1 to 8, as in EXIF, whose own orientation does not count here: by quarters of a circle,
 * and then by a mirror.
 */
export function orientationOfAvif(bytes: Uint8Array): number {
  const properties = propertiesOfMain(readFrom(bytes), bytes.length);
  const [turn, mirror] = ["irot", "imir"].map((wanted) => {
    const box = properties.find(({ type }) => type === wanted);
    return box && bytes[box.start];
  });
  const upright = [1, 8, 3, 6]; // by quarters, against the clock
  const [upsideDown, sideways] = [
    [4, 5, 2, 7],
    [2, 7, 4, 5],
  ];
  const orientations = mirror === undefined ? upright : mirror & 1 ? sideways : upsideDown;
  return orientations[(turn ?? 0) & 3];
}
