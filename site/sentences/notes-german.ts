/** In German what src/formats/notes.ts says of results. */

import type { ColorCode, Gap, GapText, NoteSentences } from "../../src/formats/notes.ts";
import { type PictureFormat, pictureFormats } from "../../src/picture/formats.ts";
import { firstNames } from "./list.ts";

export const germanNotes: NoteSentences = {
  frames: ({ of, count }) => `nur ${first[of]} von ${count ?? "mehreren"} ${several[of]} wurde genommen`,
  readAsSrgb: ({ from = "Farben, die kein Profil beschreibt" }) => `nach sRGB umgerechnet, aus ${from}`,
  readAsEight: ({ bits }) => `aus ${bits} Bit je Wert wurden beim Lesen 8`,
  gap: ({ gap }) => `ohne ${gapInGerman(gap)}`,
  damagedExif: () => "ohne die EXIF-Daten, die beschädigt sind",
  exif: ({ bytes, format }) => `ohne EXIF-Daten: ${bytes} Bytes davon fasst ${nameOf(format)} nicht`,
  xmp: ({ format }) => `ohne XMP: So lange Texte fasst ${nameOf(format)} nicht`,
  iptc: ({ format }) => `ohne IPTC-Daten: ${nameOf(format)} kann sie nicht aufnehmen`,
  rights: ({ format }) =>
    `ohne Photoshops Vermerk zum Urheberrecht: ${nameOf(format)} kann ihn nicht aufnehmen`,
  texts: ({ keywords, format }) =>
    keywords.length === 1
      ? `ohne den Text ${keywords[0]}: ${nameOf(format)} kann ihn nicht aufnehmen`
      : `ohne die Texte ${keywords.join(", ")}: ${nameOf(format)} kann sie nicht aufnehmen`,
  colorCode: (code) =>
    `ohne ${colorCodeInGerman(code)}: Nur PNG nimmt sie auf${code.isHdr ? ", und das Bild sieht matt aus" : ""}`,
  profile: ({ format }) => `nach sRGB umgerechnet: ${nameOf(format)} kann das Farbprofil nicht aufnehmen`,
  depth: ({ bits, format }) =>
    `aus 16 Bit je Wert wurden ${bits}${format ? `: Mehr fasst ${nameOf(format)} nicht` : ""}`,
  onWhite: ({ format }) => `auf Weiß gelegt: ${nameOf(format)} kennt keine Transparenz`,
  notAdded: ({ format }) =>
    `ohne EXIF-Daten und XMP, die diese Seite nicht in ${nameOf(format)} schreiben kann`,
};

const first = { frames: "das erste", pages: "die erste", pictures: "das erste" } as const;
const several = { frames: "Einzelbildern", pages: "Seiten", pictures: "Bildern" } as const;

function nameOf(format: PictureFormat): string {
  return pictureFormats[format].name;
}

/** To follow "ohne". */
function gapInGerman(gap: Gap): string {
  if (typeof gap === "string") return gapTexts[gap];
  switch (gap.code) {
    case "profileFor":
      return `sein Farbprofil, das für ${gap.space === "grey" ? "Grau" : gap.space} ist`;
    case "bytesBehind":
      return `${gap.count.toLocaleString("de-DE")} ${gap.count === 1 ? "Byte" : "Bytes"} hinter seinem Ende`;
    case "chunks":
      return `das, was ein Programm in ${firstNames(gap.names, (n) => `und ${n} weiteren`)} aufbewahrt`;
  }
}

const gapTexts: Readonly<Record<GapText, string>> = {
  "its colour profile, which is damaged": "sein Farbprofil, das beschädigt ist",
  "its white point, which it states without its primaries":
    "seinen Weißpunkt, den es ohne seine Grundfarben angibt",
  "the film of a motion photo": "den Film eines bewegten Fotos",
  "further pictures inside it": "weitere Bilder, die in ihm stecken",
  "further pictures inside it (MPF)": "weitere Bilder, die in ihm stecken (MPF)",
  "the gain map, which makes it HDR": "die Gain Map, die es zu HDR macht",
  "its depth map": "seine Tiefenkarte",
  "what XMP says of a panorama, as the picture was turned":
    "das, was XMP von einem Panorama sagt, da das Bild gedreht wurde",
  "regions in XMP, as the picture was turned": "Bereiche in XMP, da das Bild gedreht wurde",
  "extended XMP": "erweitertes XMP",
  "content credentials, which hold for the original":
    "Herkunftsnachweise (Content Credentials), die für das Original gelten",
  "the note that it is a pair of pictures for two eyes":
    "den Vermerk, dass es ein Bildpaar für zwei Augen ist",
  "its background colour": "seine Hintergrundfarbe",
  "a damaged text": "einen beschädigten Text",
  "its texts behind the first 10000": "seine Texte nach den ersten 10000",
  "its place on the map (GeoTIFF), as the picture was turned":
    "seinen Ort auf der Karte (GeoTIFF), da das Bild gedreht wurde",
  "its place on the map (GeoTIFF), which is damaged":
    "seinen Ort auf der Karte (GeoTIFF), der beschädigt ist",
  "its place on the map (GeoTIFF), which only TIFF results get":
    "seinen Ort auf der Karte (GeoTIFF): Den bekommen nur Ergebnisse in TIFF",
  "Photoshop's layers": "die Ebenen von Photoshop",
  "GDAL's notes": "die Notizen von GDAL",
  "GDAL's mark of pixels without data": "das, woran GDAL Pixel ohne Daten erkennt",
  "its description, in which a program states the old size":
    "seine Beschreibung, in der ein Programm die alte Größe nennt",
  "the ratio of its pixels' sides, which EXIF data contradict":
    "das Seitenverhältnis seiner Pixel, dem die EXIF-Daten widersprechen",
  "the size of what it shows (sCAL)": "die Größe dessen, was es zeigt (sCAL)",
  "what its samples measure (pCAL)": "das, was seine Werte messen (pCAL)",
  "its digital signature, which holds for the original": "seine digitale Signatur, die für das Original gilt",
};

/** To follow "ohne". */
function colorCodeInGerman({ primaries, transfer, isHdr }: ColorCode): string {
  return isHdr
    ? "die Angabe, dass seine Farben HDR sind"
    : `die Angabe zu seinen Farben (Codes ${primaries} und ${transfer})`;
}
