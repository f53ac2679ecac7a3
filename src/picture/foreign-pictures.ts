/** Files given as pictures that this library does not read: other kinds of pictures, films, and other files. */
import { type FileKind, kindOf, otherFiles, standIns } from "../options/file-kinds.ts";
import { formatNames, hexOfStart } from "./formats.ts";

type Text = Pick<FileKind, "what" | "remedy">;

const byMagick = 'Convert it, such as by ImageMagick: "magick FILE picture.png".';
const rawFile: Text = {
  what: "a camera's raw file",
  remedy: 'Develop it, and save it as TIFF or PNG, such as by darktable: "darktable-cli FILE picture.png".',
};

/** Extensions of cameras' raw files. Many are TIFF files inside, whose first picture is a thumbnail. */
const rawExtensions =
  /\.(?:3fr|arw|cr[23w]|dng|erf|iiq|k25|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|rw2|rwl|sr[2fw]|x3f)$/i;

const film: Text = {
  what: "a film",
  remedy:
    'Enlarge it with ffmpeg around pixelgrad: "ffmpeg -i FILE -f yuv4mpegpipe - | pixelgrad upscale -i - -o - | ' +
    'ffmpeg -i - out.mp4", or take a frame of it: "ffmpeg -i FILE -frames:v 1 picture.png".',
};

const heic: Text = {
  what: "a HEIC picture, as iPhones take them",
  remedy:
    'Save it as JPEG or PNG, such as by libheif: "heif-dec FILE picture.png". iPhones take JPEG if Settings > Camera > ' +
    'Formats is "Most Compatible".',
};

/** The first one that fits counts. */
const kinds: readonly FileKind[] = [
  ...standIns,
  { text: /^....ftyp(?:hei[cxms]|hev[cxms]|msf1)/, extensions: /\.(?:heic|heif|hif)$/i, ...heic },
  { text: /^....ftypcrx/, ...rawFile },
  { text: /^(?:FUJIFILMCCD-RAW|IIU\.\.|IIR[OS]|MMOR|FOVb|.MRM)/, extensions: rawExtensions, ...rawFile },
  {
    bytes: /^(?:ff0a|0000000c4a584c20)/,
    extensions: /\.jxl$/i,
    what: "a JPEG XL picture",
    remedy: 'Convert it, such as by libjxl: "djxl FILE picture.png".',
  },
  {
    bytes: /^(?:0000000c6a502020|ff4fff51)/,
    extensions: /\.(?:jp2|j2k|jpx|j2c|jpf)$/i,
    what: "a JPEG 2000 picture",
    remedy: 'Convert it, such as by OpenJPEG: "opj_decompress -i FILE -o picture.png".',
  },
  {
    bytes: /^(?:4949bc|0000000c6a787220)/,
    extensions: /\.(?:jxr|wdp|hdp)$/i,
    what: "a JPEG XR picture",
    remedy: byMagick,
  },
  {
    text: /^8BPS/,
    extensions: /\.ps[db]$/i,
    what: "a Photoshop file",
    remedy:
      'Export it as PNG, or take all its layers as one, such as by ImageMagick: "magick FILE[0] picture.png".',
  },
  { text: /^gimp xcf/, extensions: /\.xcf$/i, what: "a GIMP file", remedy: "In GIMP, export it as PNG." },
  {
    text: /^[.\s]*<(?:svg\b|(?:\?xml|!--|!doctype svg).*?<svg\b)/i,
    extensions: /\.svgz?$/i,
    what: "an SVG drawing, which has no pixels",
    remedy:
      'Draw it as large as you want it, such as by librsvg: "rsvg-convert -w 4000 FILE -o picture.png".',
  },
  {
    text: /^[.\s]*%PDF-/,
    extensions: /\.pdf$/i,
    what: "a PDF document",
    remedy:
      'Take the pictures out of it, or draw its pages as large as you want them, such as by poppler: "pdfimages -png ' +
      'FILE picture" or "pdftoppm -png -r 600 FILE page".',
  },
  {
    bytes: /^(?:25215053|c5d0d3c6)/,
    extensions: /\.(?:eps|ps|ai)$/i,
    what: "a PostScript file (.eps, .ps)",
    remedy:
      'Draw it as large as you want it, such as by Ghostscript: "gs -sDEVICE=png16m -r600 -o picture.png FILE".',
  },
  {
    bytes: /^762f3101/,
    extensions: /\.exr$/i,
    what: "an OpenEXR picture, of floating-point numbers",
    remedy: 'Convert it to 16 bits, such as by ImageMagick: "magick FILE -depth 16 picture.png".',
  },
  {
    text: /^(?:#\?R|P[Ff]\.)/,
    extensions: /\.(?:hdr|pfm)$/i,
    what: "a picture of floating-point numbers (.hdr, .pfm)",
    remedy: 'Convert it to 16 bits, such as by ImageMagick: "magick FILE -depth 16 picture.png".',
  },
  {
    bytes: /^00000100(?!0000)..00/,
    extensions: /\.(?:ico|cur)$/i,
    what: "icons of Windows (.ico)",
    remedy: byMagick,
  },
  { extensions: /\.tga$/i, what: "a Targa picture (.tga)", remedy: byMagick },
  { text: /^DDS /, extensions: /\.dds$/i, what: "a texture of DirectX (.dds)", remedy: byMagick },
  { text: /^qoif/, extensions: /\.qoi$/i, what: "a QOI picture", remedy: byMagick },
  { bytes: /^0a0[0-5]01/, extensions: /\.pcx$/i, what: "a PCX picture", remedy: byMagick },
  {
    text: /^AT&TFORM/,
    extensions: /\.djvu?$/i,
    what: "a DjVu document",
    remedy: 'Draw its pages: "ddjvu -format=tiff".',
  },
  { text: /^.{128}DICM/, extensions: /\.dcm$/i, what: "a medical picture (DICOM)", remedy: byMagick },
  {
    text: /^SIMPLE {2}=/,
    extensions: /\.fits?$/i,
    what: "a picture of astronomers (FITS)",
    remedy: byMagick,
  },
  {
    text: /^YUV4MPEG2/,
    extensions: /\.y4m$/i,
    what: "a y4m video",
    remedy: 'Give it on standard input: "pixelgrad upscale -i - -o - < FILE > large.y4m".',
  },
  {
    // MP4 and MOV, Matroska and WebM, AVI, MPEG, Flash, Windows Media, Ogg
    bytes: /^0000.{4}(?:66747970|6d6f6f76|6d646174|77696465|66726565)/,
    extensions: /\.(?:mp4|m4v|mov|mkv|webm|avi|mpe?g|m2ts|mts|flv|wmv|ogv|3gp)$/i,
    ...film,
  },
  { bytes: /^(?:1a45dfa3|52494646.{8}41564920|000001b[3a]|464c5601|3026b275|4f676753)/, ...film },
  {
    text: /^(?:.{8}\{"|.{0,4}PK.*data\.pkl|.NUMPY|.HDF)/,
    extensions: /\.(?:safetensors|pth?|ckpt|npy|npz|h5|mat|onnx)$/i,
    what: "a file of weights or numbers, and no picture",
    remedy: "Weights are given as the method.",
  },
  ...otherFiles,
];

/**
 * What to say of a file that is no picture of a format that is read: what it is if its first bytes (`START_LENGTH` of
 * them) or its name tell, and what to do. It begins with `name`, which is what people call the file.
 */
export function describeForeignPicture(start: Uint8Array, name: string): string {
  const kind = foreignPicture(start, name);
  return kind
    ? describe(name, kind)
    : `${name}: not a ${formatNames} picture (its first bytes are ${hexOfStart(start)}). Convert it to PNG, or ` +
        "leave it out.";
}

/** The same without words around it; undefined if neither tells. */
export function foreignPicture(start: Uint8Array, name: string): FileKind | undefined {
  return kindOf(start, name, kinds);
}

/** As in "this is …". */
export const foreignPictures: readonly string[] = [...new Set(kinds.map(({ what }) => what))];

function describe(name: string, { what, remedy }: Text): string {
  return `${name}: this is ${what}; what is read is ${formatNames}. ${remedy}`;
}

/** What to say of a camera's raw file that begins as TIFF files do. */
export function describeRawFile(name: string): string {
  return describe(name, rawFile);
}

/** What to say of a HEIC picture that begins as AVIF files do. */
export function describeHeic(name: string): string {
  return describe(name, heic);
}

/** Is a file called as cameras call their raw files? */
export function isRawName(name: string): boolean {
  return rawExtensions.test(name);
}
