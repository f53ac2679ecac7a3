/**
 * XMP of results: what it says about sizes and places holds for the result, and it does not speak of pictures and
 * films that were left out. The text is changed in place, as programs keep much in it that nobody else knows.
 */
import { type Described, growth, type Size, subjectIn } from "./described.ts";

/** The text in the encoding that its first bytes tell; usually UTF-8. */
export function decodeXmp(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const utf16 = { 65279: "utf-16be", 65534: "utf-16le", 60: "utf-16be", 15360: "utf-16le" };
  const encoding = utf16[((first << 8) | second) as keyof typeof utf16] ?? "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

const google = "http://ns.google.com/photos/1.0";
const namespaces = {
  camera: `${google}/camera/`,
  container: `${google}/container/`,
  item: `${google}/container/item/`,
  panorama: `${google}/panorama/`,
  depth: `${google}/depthmap/`,
  image: `${google}/image/`,
  gainMap: "http://ns.adobe.com/hdr-gain-map/1.0/",
  regions: "http://www.metadataworkinggroup.com/schemas/regions/",
  faces: "http://ns.microsoft.com/photo/1.2/",
  iptc: "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
} as const;

/** In words, after "without". */
export const film = "the film of a motion photo";
export const gainMap = "the gain map, which makes it HDR";

/**
 * Without what a result cannot have.
 *
 * @returns `gaps` says what that is, in words, after "without".
 */
export function withoutParts(
  xmp: string,
  source?: Described,
): { readonly xmp: string; readonly gaps: string[] } {
  let rest = xmp;
  const gaps: string[] = [];
  const drop = (space: keyof typeof namespaces, names: string, gap?: string) => {
    for (const prefix of prefixesOf(xmp, namespaces[space])) {
      const without = withoutProperties(rest, prefix, names);
      if (without !== rest && gap) gaps.push(gap);
      rest = without;
    }
  };
  const has = (prefixes: readonly string[], names: string, value: string) =>
    prefixes.some((prefix) => new RegExp(`${prefix}:(?:${names})\\s*(?:=\\s*["']|>\\s*)${value}`).test(xmp));
  const semantics = (value: string) => has(prefixesOf(xmp, namespaces.item), "Semantic", value);
  const isFilm =
    has(prefixesOf(xmp, namespaces.camera), "MotionPhoto|MicroVideo", "1") || semantics("MotionPhoto");
  if (isFilm) gaps.push(film);
  if (semantics("GainMap")) gaps.push(gainMap);
  drop("camera", "(?:MotionPhoto|MicroVideo)\\w*");
  drop("container", "Directory", isFilm || gaps.length > 0 ? undefined : "further pictures inside it");
  drop("gainMap", "\\w+", gainMap);
  drop("depth", "\\w+", "its depth map");
  drop("image", "\\w+", "its depth map");
  if (source && source.orientation !== 1) {
    // They hold for the picture as it lay.
    drop("panorama", "\\w+", "what XMP says of a panorama, as the picture was turned");
    const regions = "regions in XMP, as the picture was turned";
    drop("regions", "Regions", regions);
    drop("faces", "RegionInfo", regions);
    drop("iptc", "ImageRegion", regions);
  }
  return { xmp: rest, gaps: [...new Set(gaps)] };
}

/** Properties that are a width, or counted from the left. */
const widths = ["tiff:ImageWidth", "exif:PixelXDimension"];
const heights = ["tiff:ImageLength", "exif:PixelYDimension"];
const across = [
  ...["FullPanoWidthPixels", "CroppedAreaImageWidthPixels", "CroppedAreaLeftPixels"],
  ...["LargestValidInteriorRectLeft", "LargestValidInteriorRectWidth"],
].map((name) => `GPano:${name}`);
const down = [
  ...["FullPanoHeightPixels", "CroppedAreaImageHeightPixels", "CroppedAreaTopPixels"],
  ...["LargestValidInteriorRectTop", "LargestValidInteriorRectHeight"],
].map((name) => `GPano:${name}`);

/**
 * XMP of a result: of its size, without thumbnails and without a pointer to further XMP. It is upright, if it was
 * turned by EXIF data; an orientation that XMP alone states has turned nothing, and stays.
 */
export function xmpOfResult(xmp: string, result: Size, source?: Described): string {
  let text = xmp.replace(/\sxmpNote:HasExtendedXMP\s*=\s*(?:"[^"]*"|'[^']*')/g, "");
  for (const name of ["xmp:Thumbnails", "xap:Thumbnails", "xmpNote:HasExtendedXMP"])
    text = withoutElement(text, name);
  const put = (names: readonly string[], change: (value: number) => number) => {
    for (const name of names) text = withNumbers(text, name, change);
  };
  if (source?.orientation !== 1) put(["tiff:Orientation"], () => 1);
  put(widths, () => result.width);
  put(heights, () => result.height);
  if (!source) return text;
  const { x, y } = growth(source, result);
  const turned = source.orientation >= 5;
  put(across, (value) => Math.round(value * x));
  put(down, (value) => Math.round(value * y));
  // As many of the sensor's pixels are more pixels now.
  const [focalX, focalY] = ["exif:FocalPlaneXResolution", "exif:FocalPlaneYResolution"];
  put([focalX], (value) => Math.round(value * (turned ? y : x)));
  put([focalY], (value) => Math.round(value * (turned ? x : y)));
  if (turned) text = swapped(text, focalX, focalY);
  text = withElements(text, "mwg-rs:AppliedToDimensions", (part) => {
    const wide = withNumbers(part, "stDim:w", (value) => Math.round(value * x));
    return withNumbers(wide, "stDim:h", (value) => Math.round(value * y));
  });
  if (/\brbUnit\s*(?:=\s*["']|>)\s*pixel/.test(text)) {
    const names = (...endings: string[]) => endings.map((ending) => `Iptc4xmpExt:rb${ending}`);
    put(names("X", "W", "Rx"), (value) => Math.round(value * x));
    put(names("Y", "H"), (value) => Math.round(value * y));
  }
  return withElements(text, "exif:SubjectArea|exif:SubjectLocation", (part) => {
    const item = /(<rdf:li>\s*)(\d+)/g;
    const values = [...part.matchAll(item)].map((match) => Number(match[2]));
    const moved = subjectIn(values, source, result);
    let i = 0;
    return part.replace(item, (_, start: string) => `${start}${moved[i++]}`);
  });
}

/** With other numbers for a property, which is an attribute or an element; of a fraction, the numerator changes. */
function withNumbers(xmp: string, name: string, change: (value: number) => number): string {
  const replace = (_: string, start: string, value: string) => `${start}${change(Number(value))}`;
  return xmp
    .replace(new RegExp(`(\\b${name}\\s*=\\s*["'])(\\d+)`, "g"), replace)
    .replace(new RegExp(`(<${name}>\\s*)(\\d+)`, "g"), replace);
}

/** With the names of two properties exchanged. */
function swapped(xmp: string, a: string, b: string): string {
  return xmp.replace(new RegExp(`\\b(?:${a}|${b})\\b`, "g"), (name) => (name === a ? b : a));
}

/** The prefixes that a text has for a namespace, usually one or none. */
function prefixesOf(xmp: string, namespace: string): string[] {
  const declared = xmp.matchAll(/\bxmlns:([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  const prefixes = [...declared].flatMap(([, prefix, a, b]) => ((a ?? b) === namespace ? [prefix] : []));
  return [...new Set(prefixes)].slice(0, 4); // a hostile text may have any number
}

/** @param names a pattern. */
function withoutProperties(xmp: string, prefix: string, names: string): string {
  const attribute = new RegExp(`\\s${prefix}:(?:${names})\\s*=\\s*(?:"[^"]*"|'[^']*')`, "g");
  return withElements(xmp.replace(attribute, ""), `${prefix}:(?:${names})`, () => "");
}

/**
 * With other elements. Not by one expression for whole elements, which takes for ever on a text with many
 * beginnings and no end.
 *
 * @param names a pattern.
 */
function withElements(xml: string, names: string, change: (element: string) => string): string {
  const opening = new RegExp(`<(${names})(?=[\\s/>])`, "g");
  let result = "";
  let done = 0;
  for (let match = opening.exec(xml); match; match = opening.exec(xml)) {
    const [, name] = match;
    const tagEnd = xml.indexOf(">", match.index);
    const isEmpty = xml[tagEnd - 1] === "/";
    const closing = isEmpty ? tagEnd : xml.indexOf(`</${name}>`, tagEnd);
    if (tagEnd < 0 || closing < 0) break;
    const end = isEmpty ? tagEnd + 1 : closing + name.length + 3;
    result += xml.slice(done, match.index) + change(xml.slice(match.index, end));
    done = opening.lastIndex = end;
  }
  return result + xml.slice(done);
}

function withoutElement(xml: string, name: string): string {
  const [start, end] = [xml.indexOf(`<${name}`), xml.lastIndexOf(`</${name}>`)];
  return start < 0 || end < start ? xml : xml.slice(0, start) + xml.slice(end + name.length + 3);
}
