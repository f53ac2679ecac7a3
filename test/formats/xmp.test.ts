/** What XMP says of a result: places move, and what is left out is not spoken of. */
import { describe, expect, test } from "vitest";
import { withoutParts, xmpOfResult } from "../../src/formats/xmp.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { xmpOf } from "../support/xmp.ts";

const [width, height] = [24, 16];

describe("what it says of places, twice as large", () => {
  const source = { width, height, orientation: 1 };
  const doubled = (xmp: string) => xmpOfResult(xmp, { width: 2 * width, height: 2 * height }, source);
  const iptc = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"';
  const area = (...items: (number | string)[]) =>
    `<exif:SubjectArea><rdf:Seq>${items.map((item) => `<rdf:li>${item}</rdf:li>`).join("")}</rdf:Seq></exif:SubjectArea>`;

  test.each([
    ["a subject", xmpOf("", area(1, 2, 3)), xmpOf("", area(2, 4, 6))],
    ["a subject with decimals", xmpOf("", area("1.5", 2)), xmpOf("", area(3, 4))],
    ["no subject has five numbers", xmpOf("", area(1, 2, 3, 4, 5)), xmpOf("", area(1, 2, 3, 4, 5))],
    [
      "a region in pixels beside one that is relative",
      xmpOf(
        iptc,
        '<Iptc4xmpExt:RegionBoundary Iptc4xmpExt:rbUnit="pixel" Iptc4xmpExt:rbX="10.25" Iptc4xmpExt:rbH="3"/>' +
          '<Iptc4xmpExt:RegionBoundary Iptc4xmpExt:rbUnit="relative" Iptc4xmpExt:rbX="0.5"/>' +
          "<Iptc4xmpExt:RegionBoundary><Iptc4xmpExt:rbUnit>pixel</Iptc4xmpExt:rbUnit>" +
          "<Iptc4xmpExt:rbX>7</Iptc4xmpExt:rbX></Iptc4xmpExt:RegionBoundary>",
      ),
      xmpOf(
        iptc,
        '<Iptc4xmpExt:RegionBoundary Iptc4xmpExt:rbUnit="pixel" Iptc4xmpExt:rbX="20.5" Iptc4xmpExt:rbH="6"/>' +
          '<Iptc4xmpExt:RegionBoundary Iptc4xmpExt:rbUnit="relative" Iptc4xmpExt:rbX="0.5"/>' +
          "<Iptc4xmpExt:RegionBoundary><Iptc4xmpExt:rbUnit>pixel</Iptc4xmpExt:rbUnit>" +
          "<Iptc4xmpExt:rbX>14</Iptc4xmpExt:rbX></Iptc4xmpExt:RegionBoundary>",
      ),
    ],
    [
      "decimals",
      xmpOf('exif:FocalPlaneXResolution="10.5" GPano:CroppedAreaLeftPixels="-3"'),
      xmpOf('exif:FocalPlaneXResolution="21" GPano:CroppedAreaLeftPixels="-6"'),
    ],
    [
      "any prefix",
      xmpOf(`xmlns:e='http://ns.adobe.com/exif/1.0/' e:FocalPlaneXResolution="4/1" e:PixelXDimension="24"`),
      xmpOf(`xmlns:e='http://ns.adobe.com/exif/1.0/' e:FocalPlaneXResolution="8/1" e:PixelXDimension="48"`),
    ],
    [
      "a prefix of something else",
      xmpOf('xmlns:other="http://example.com/" other:PixelXDimension="24"').replace(/xmlns:exif="[^"]*"/, ""),
      xmpOf('xmlns:other="http://example.com/" other:PixelXDimension="24"').replace(/xmlns:exif="[^"]*"/, ""),
    ],
    [
      "a text that looks like attributes",
      xmpOf(
        `dc:rights='by exif:PixelXDimension="24" > me'`,
        '<!-- don\'t --><dc:description>set exif:PixelXDimension="24" here</dc:description>',
      ),
      xmpOf(
        `dc:rights='by exif:PixelXDimension="24" > me'`,
        '<!-- don\'t --><dc:description>set exif:PixelXDimension="24" here</dc:description>',
      ),
    ],
  ])("%s", (_, original, want) => {
    expect(doubled(original)).toBe(want);
  });

  test("a text that looks like what is left out stays", () => {
    const other = 'xmlns:q="http://ns.google.com/photos/1.0/camera/" q:Other="1"';
    const text = xmpOf(other, '<dc:description>a q:MotionPhotoVersion="1"</dc:description>');
    expect(withoutParts(text).xmp).toBe(text);
  });

  test("a picture inside it is a depth map only if there is depth", () => {
    const image = 'xmlns:GImage="http://ns.google.com/photos/1.0/image/" GImage:Data="abc"';
    const depth = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Data="abc"';
    expect(withoutParts(xmpOf(image)).gaps).toEqual(["further pictures inside it"]);
    expect(withoutParts(xmpOf(`${image} ${depth}`)).gaps).toEqual(["its depth map"]);
  });
});

test("a photo that says it has no film has none", () => {
  expect(withoutParts(xmpOf('Cam:MotionPhoto="0"')).gaps).toEqual([]);
});

test("XMP does not point to the extended XMP that is left out", () => {
  const size = { width: 2, height: 2 };
  const note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/"';
  expect(xmpOfResult(`<a ${note} xmpNote:HasExtendedXMP="0123ABCD" dc:source="s"/>`, size)).toBe(
    `<a ${note} dc:source="s"/>`,
  );
  const element = `<a ${note}><xmpNote:HasExtendedXMP>0123ABCD</xmpNote:HasExtendedXMP><b/></a>`;
  expect(xmpOfResult(element, size)).toBe(`<a ${note}><b/></a>`);
});

test("a hostile text takes a time that grows as its length, and as what it declares", async () => {
  const namespaces = (count: number) =>
    Array.from({ length: count }, (_, i) => `xmlns:p${i}="http://ns.google.com/photos/1.0/camera/"`).join(
      " ",
    );
  const source = { width, height, orientation: 6 };
  for (const part of [
    "<GPano:a>",
    "<GPano:a ",
    "<exif:SubjectArea>",
    " ",
    " GPano:a=",
    "<p1:MotionPhoto>",
    "<a '",
  ]) {
    const timeOf = (length: number, count = 1000) => {
      const text = xmpOf(namespaces(count), part.repeat(length / part.length));
      return cpuTime(() => xmpOfResult(withoutParts(text, source).xmp, { width: 48, height: 32 }, source));
    };
    await timeOf(5e4); // compiles
    const short = await timeOf(5e4);
    // Eight times as long; 64 if it grew as the square. For short times, what the engine does beside it counts.
    expect(await timeOf(4e5), part).toBeLessThan(24 * Math.max(short, 10));
    expect(await timeOf(5e4, 8000), part).toBeLessThan(24 * Math.max(short, 10));
  }
  // A tag that is longer than the stack of expressions.
  xmpOfResult(`${xmpOf("")}<a ${"a".repeat(1e7)}>`, { width: 48, height: 32 }, source);
});
