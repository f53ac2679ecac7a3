/**
 * XMP of results: what it says about sizes and places holds for the result, and it does not speak of pictures and
 * films that were left out. The text is changed in place, as programs keep much in it that nobody else knows.
 */
import type { Size } from "../picture/image.ts";
import type { GapText } from "./notes.ts";
import { growth, type SourcePicture, subjectIn } from "./picture-places.ts";

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
  tiff: "http://ns.adobe.com/tiff/1.0/",
  exif: "http://ns.adobe.com/exif/1.0/",
  xmp: "http://ns.adobe.com/xap/1.0/",
  note: "http://ns.adobe.com/xmp/note/",
  dimensions: "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
} as const;

/** What results are made without. */
export const film = "the film of a motion photo";
export const furtherPictures = "further pictures inside it";
export const gainMap = "the gain map, which makes it HDR";

/**
 * Without what a result cannot have.
 *
 * @returns `gaps` says what that is.
 */
export function withoutParts(
  xmp: string,
  source?: SourcePicture,
): { readonly xmp: string; readonly gaps: GapText[] } {
  let rest = xmp;
  const gaps: GapText[] = [];
  const drop = (space: keyof typeof namespaces, names: string, gap?: GapText) => {
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
  drop("container", "Directory", isFilm || gaps.length > 0 ? undefined : furtherPictures);
  drop("gainMap", "\\w+", gainMap);
  drop("depth", "\\w+", "its depth map");
  const hasDepth = prefixesOf(xmp, namespaces.depth).length > 0;
  drop("image", "\\w+", hasDepth ? "its depth map" : furtherPictures);
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

/** Properties of a panorama that are a width, or counted from the left. */
const across = [
  ...["FullPanoWidthPixels", "CroppedAreaImageWidthPixels", "CroppedAreaLeftPixels"],
  ...["LargestValidInteriorRectLeft", "LargestValidInteriorRectWidth"],
];
const down = [
  ...["FullPanoHeightPixels", "CroppedAreaImageHeightPixels", "CroppedAreaTopPixels"],
  ...["LargestValidInteriorRectTop", "LargestValidInteriorRectHeight"],
];

/** What becomes of the numbers of properties, by the properties' names. */
type Changes = Map<string, (value: number) => number>;

/**
 * XMP of a result: of its size, without thumbnails and without a pointer to further XMP. It is upright, if it was
 * turned by EXIF data; an orientation that XMP alone states has turned nothing, and stays.
 */
export function xmpOfResult(xmp: string, result: Size, source?: SourcePicture): string {
  const named = (space: keyof typeof namespaces, ...names: readonly string[]) =>
    prefixesOf(xmp, namespaces[space]).flatMap((prefix) => names.map((name) => `${prefix}:${name}`));
  const changes: Changes = new Map();
  const put = (names: readonly string[], change: (value: number) => number, to = changes) => {
    for (const name of names) to.set(name, change);
  };
  let text = xmp;
  for (const prefix of prefixesOf(xmp, namespaces.note))
    text = withoutProperties(text, prefix, "HasExtendedXMP");
  for (const prefix of prefixesOf(xmp, namespaces.xmp)) text = withoutProperties(text, prefix, "Thumbnails");
  if (source?.orientation !== 1) put(named("tiff", "Orientation"), () => 1);
  put([...named("tiff", "ImageWidth"), ...named("exif", "PixelXDimension")], () => result.width);
  put([...named("tiff", "ImageLength"), ...named("exif", "PixelYDimension")], () => result.height);
  if (!source) return withNumbers(text, changes);
  const { x, y } = growth(source, result);
  const [wider, higher] = [(value: number) => value * x, (value: number) => value * y];
  put(named("panorama", ...across), wider);
  put(named("panorama", ...down), higher);
  const turned = source.orientation >= 5;
  // As many of the sensor's pixels are more pixels now.
  const [focalX, focalY] = ["X", "Y"].map((axis) => named("exif", `FocalPlane${axis}Resolution`));
  put(focalX, turned ? higher : wider);
  put(focalY, turned ? wider : higher);
  text = withNumbers(text, changes);
  if (turned) {
    const [perX, perY] = ["X", "Y"].map((axis) => named("tiff", `${axis}Resolution`));
    const ofY = [...focalY, ...perY];
    for (const [i, name] of [...focalX, ...perX].entries()) text = swapNames(text, name, ofY[i]);
  }

  const sides: Changes = new Map();
  put(named("dimensions", "w"), wider, sides);
  put(named("dimensions", "h"), higher, sides);
  for (const name of named("regions", "AppliedToDimensions"))
    text = withElements(text, name, (part) => withNumbers(part, sides));
  const boundary: Changes = new Map();
  put(named("iptc", "rbX", "rbW", "rbRx"), wider, boundary);
  put(named("iptc", "rbY", "rbH"), higher, boundary);
  const inPixels = /:rbUnit\s*(?:=\s*["']|>\s*)pixel/;
  for (const name of named("iptc", "RegionBoundary")) {
    text = withElements(text, name, (part) => (inPixels.test(part) ? withNumbers(part, boundary) : part));
  }
  for (const name of named("exif", "SubjectArea", "SubjectLocation"))
    text = withElements(text, name, (part) => withSubject(part, source, result));
  return text;
}

/** The part with the places of a subject in the result; as it is, if they are none. */
function withSubject(part: string, source: SourcePicture, result: Size): string {
  const item = /(<rdf:li>\s*)(-?\d*\.?\d+)/g;
  const values = [...part.matchAll(item)].map((match) => Number(match[2]));
  if (values.length < 2 || values.length > 4) return part;
  const moved = subjectIn(values, source, result);
  let i = 0;
  return part.replace(item, (_, start: string) => `${start}${moved[i++]}`);
}

/**
 * With other numbers for properties, which are attributes or elements; of a fraction, the numerator changes. Whole
 * numbers stay whole.
 */
function withNumbers(xmp: string, changes: Changes): string {
  const changed = (name: string, text: string) => {
    const change = changes.get(name);
    if (!change) return text;
    return text.replace(/^(\s*)(-?\d*\.?\d+)/, (_, space: string, digits: string) => {
      const value = change(Number(digits));
      return `${space}${digits.includes(".") ? Number(value.toFixed(6)) : Math.round(value)}`;
    });
  };
  return withAttributes(xmp, changed).replace(
    /(<([\w-]+:[\w-]+)>)([^<]*)/g,
    (_, tag: string, name: string, text: string) => `${tag}${changed(name, text)}`,
  );
}

/**
 * With other values of attributes, and without those of which `change` makes nothing. What looks like an attribute in a
 * text, or in another attribute, stays.
 */
function withAttributes(xmp: string, change: (name: string, value: string) => string | undefined): string {
  return withTags(xmp, (tag) =>
    tag.replace(
      /\s([\w-]+:[\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g,
      (attribute: string, name: string, a?: string, b?: string) => {
        const value = a ?? b ?? "";
        const next = change(name, value);
        if (next === undefined) return "";
        return attribute.slice(0, -value.length - 1) + next + attribute.slice(-1);
      },
    ),
  );
}

function withTags(xmp: string, change: (tag: string) => string): string {
  let result = "";
  let done = 0;
  const beginning = /<(?=[\w/])/g; // of no comment
  for (let match = beginning.exec(xmp); match; match = beginning.exec(xmp)) {
    const end = endOfTag(xmp, match.index);
    if (end === undefined) continue;
    result += xmp.slice(done, match.index) + change(xmp.slice(match.index, end));
    done = beginning.lastIndex = end;
  }
  return result + xmp.slice(done);
}

/** Where a tag ends. One expression for whole tags would run out of stack on long ones; attributes may have any ">". */
function endOfTag(xmp: string, start: number): number | undefined {
  const mark = /["'<>]/g;
  mark.lastIndex = start + 1;
  for (let match = mark.exec(xmp); match; match = mark.exec(xmp)) {
    if (match[0] === "<") return undefined;
    if (match[0] === ">") return mark.lastIndex;
    const closing = xmp.indexOf(match[0], mark.lastIndex);
    if (closing < 0) return undefined;
    mark.lastIndex = closing + 1;
  }
  return undefined;
}

/** Exchanges the names of two properties. */
function swapNames(xmp: string, a: string, b: string): string {
  const names = new RegExp(`(?<=[\\s</])(?:${a}|${b})(?=[\\s=>])`, "g");
  return withTags(xmp, (tag) => tag.replace(names, (name) => (name === a ? b : a)));
}

/** The prefixes that a text has for a namespace, usually one or none. */
function prefixesOf(xmp: string, namespace: string): string[] {
  const declared = xmp.matchAll(/\bxmlns:([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  const prefixes = [...declared].flatMap(([, prefix, a, b]) => ((a ?? b) === namespace ? [prefix] : []));
  return [...new Set(prefixes)].slice(0, 4); // a hostile text may have any number
}

/** @param names a pattern. */
function withoutProperties(xmp: string, prefix: string, names: string): string {
  const property = `${prefix}:(?:${names})`;
  const whole = new RegExp(`^${property}$`);
  const rest = withAttributes(xmp, (name, value) => (whole.test(name) ? undefined : value));
  return withElements(rest, property, () => "");
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
