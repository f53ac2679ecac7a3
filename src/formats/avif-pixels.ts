/** AVIF files whose pixels are not square say so in a box that libvips does not read. */
import { boxAt } from "./boxes.ts";
import { type Density, ratioOf } from "./density.ts";
import type { FileMetadata } from "./metadata.ts";
import { asBuffer, readFrom } from "./read.ts";

/** With the ratio of pixels' sides, unless EXIF data state a resolution. */
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
  const box = boxAt(readFrom(bytes), bytes.length, ["meta", "iprp", "ipco", "pasp"]);
  if (!box || box.start + 8 > bytes.length) return undefined;
  const file = asBuffer(bytes);
  const [width, height] = [file.readUInt32BE(box.start), file.readUInt32BE(box.start + 4)];
  return width > 0 && height > 0 ? ratioOf(height, width) : undefined; // wider pixels are fewer in a row
}
