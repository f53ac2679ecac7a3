/** The sentences of the page's worker in German. */
import type { WorkerSentences } from "./worker-english.ts";

export const workerGerman: WorkerSentences = {
  notWritten: (format, size, why) =>
    `Dieser Browser kann kein ${format}-Bild von ${size} Pixeln schreiben (${why}). Wählen Sie PNG.`,
  sideTooLong: (format, most, size) =>
    `${format}-Bilder haben höchstens ${most} Pixel je Seite, und dieses hätte ${size}. Wählen Sie PNG.`,
  empty: (name) => `${name} ist leer. Laden oder kopieren Sie die Datei noch einmal.`,
  unreadable: (name) =>
    `${name} lässt sich nicht lesen: Die Datei wurde geändert, verschoben oder gelöscht, seit sie gewählt wurde. Wählen Sie sie noch einmal.`,
  heic: (name) =>
    `${name} ist ein HEIC-Bild, das dieser Browser nicht lesen kann. Speichern Sie es als JPEG, oder stellen Sie die Kamera auf „Maximale Kompatibilität“.`,
  tiff: (name) =>
    `${name} ist ein TIFF-Bild, das dieser Browser nicht lesen kann. Speichern Sie es als PNG; die Befehlszeile liest es.`,
  noPicture: (name, formats) =>
    `${name} ist kein Bild, das dieser Browser zeigen kann. Er liest ${formats.replace(" or ", " oder ")}.`,
  foreign: (name, what, formats) =>
    `${name} ist ${what}. Dieser Browser liest ${formats.replace(" or ", " oder ")}.`,
  unsupported: (name, format) =>
    `${name} ist ${format}, und dieser Browser kann das nicht lesen, oder die Datei ist beschädigt. Speichern Sie das Bild als PNG oder JPEG.`,
  // The reason is in English.
  damaged: (name, format) =>
    `${name} ist ein ${format}-Bild, aber beschädigt. Laden oder kopieren Sie es noch einmal.`,
  tooLargeFile: (name, size) =>
    `${name} hat ${size} Pixel, die mehr als ein Gigabyte brauchen: zu viel für diese Seite. Zerschneiden Sie das Bild.`,

  gone: "Dieses Bild ist nicht mehr da. Wählen Sie es noch einmal.",
  tooLarge: (size, advice) =>
    `Das Ergebnis hätte ${size} Pixel, mehr als in den Speicher dieser Seite passen. ${advice}; die Befehlszeile nimmt Bilder jeder Größe.`,
  smallerScale: "Wählen Sie einen kleineren Maßstab",
  sizeInPixels: "Wählen Sie „Größe“ und weniger Pixel, oder ein kleineres Bild",
  fewerPixels: "Wählen Sie weniger Pixel",
  deviceLost:
    "Das Grafikgerät ging verloren, und mit ihm diese Arbeit. Das geschieht, wenn ein Treiber neu startet oder ein Rechner geschlafen hat. Versuchen Sie es noch einmal: Die Seite öffnet das Gerät neu. Hilft das nicht, so laden Sie die Seite neu.",
  deviceGone:
    "Das Grafikgerät ging verloren, und der Browser gibt kein neues her. Versuchen Sie es in einer Minute wieder; hilft das nicht, so laden Sie die Seite neu.",
  fileNotLoaded:
    "Eine Datei dieser Seite ließ sich nicht laden. Prüfen Sie die Verbindung und versuchen Sie es noch einmal, oder laden Sie die Seite neu. (Ist die Seite Ihre: Ihr Ordner muss ganz bereitstehen.)",
  networkNeedsWebGpu: "Ein Netz braucht WebGPU, und das gibt es hier nicht.",
  offline: (network) =>
    `Sie sind offline, und ${network} wurde noch nicht geladen. Gehen Sie einmal online, um es zu benutzen.`,
  networkNotLoaded: (network) =>
    `Die Datei des Netzes ${network} ließ sich nicht laden. Prüfen Sie die Verbindung und versuchen Sie es noch einmal. (Ist die Seite Ihre: Ihr Ordner muss ganz bereitstehen.)`,
};
