/** Die Sätze über Videos auf Deutsch. */
import { and } from "./list.ts";
import type { VideoSentences } from "./video-english.ts";

const frames = (count: number) => `${count} ${count === 1 ? "Bild" : "Bilder"}`;

export const videoGerman: VideoSentences = {
  // ---- Fixed texts of video-panel.html
  videoHint:
    "Vergrößert jedes Bild mit einem Netz und behält den Ton, wenn die Datei ihn aufnehmen kann. Nichts wird hochgeladen, und die Länge spielt keine Rolle: Nur wenige Bilder sind zugleich im Speicher.",
  chooseVideo: "Video wählen…",
  useCamera: "Kamera nutzen",
  chooseToBegin: "Wählen Sie ein Video, oder ziehen Sie eines auf diese Seite: MP4, MOV, WebM oder MKV.",
  videoMethodHint:
    "„Schnell“ ist ESPCN, auf den meisten Grafikkarten das Netz für Videos. „Gut“ nimmt ein Netz für saubere oder eines für beschädigte Bilder, nach einem Bild aus der Mitte.",
  fileFormat: "Datei",
  fileSize: "Ihre Größe",
  small: "Klein",
  medium: "Mittel",
  large: "Groß",
  convert: "Umwandeln",
  convertProgress: "Fortschritt der Umwandlung",
  pause: "Pause",
  resume: "Fortsetzen",
  download: "Herunterladen",
  watch: "Vergrößert ansehen",
  watchHint: "Spielt es sofort ab und lässt Bilder aus, wo die Grafikkarte zu langsam ist.",
  endWatching: "Schließen",
  play: "Abspielen",
  position: "Stelle",
  fullScreen: "Vollbild",
  mute: "Stumm",

  // ---- The video
  openingVideo: (name) => `${name} wird geöffnet…`,
  size: "Maße",
  length: "Länge",
  frameRate: "Bilder je Sekunde",
  perSecond: (rate, isSteady) => (isSteady ? rate : `${rate} im Mittel; ihre Zeiten bleiben`),
  codecOf: (codec, format) => `${codec} als ${format}`,
  coded: "Codiert",
  soundOf: "Ton",
  silent: "keiner",
  sampleFrame: "ein Bild",
  enlargedFrame: (method) => `vergrößert mit ${method}`,
  becomesVideo: (from, to, isOdd) =>
    `Aus ${from} werden ${to} Pixel${isOdd ? ": Video kennt nur gerade Zahlen, daher fällt die letzte Spalte oder Zeile weg" : ""}.`,

  // ---- What it will take
  measuringSpeed: "An einem Bild wird gemessen, wie lange das dauert…",
  estimate: (time, rate) => `Etwa ${time}: ${rate} Bilder je Sekunde.`,
  isLong:
    "Das dauert lange. Mit „Schnell“, einem kleineren Maßstab oder einem kürzeren Video geht es rascher.",
  notMeasured: (why) => `Wie lange es dauert, ließ sich nicht messen: ${why}`,
  watchable: (rate) => `Ansehen: schnell genug für alle ${rate} Bilder je Sekunde.`,
  watchSkips: (rate, of) => `Ansehen: Etwa ${rate} von ${of} Bildern je Sekunde sind zu sehen.`,
  watchTooSlow: "Ansehen: zu langsam, ein Bild braucht länger als eine Sekunde.",
  container: (name, codec) => `${name} mit ${codec}`,
  becomesFile: (bytes) => `Eine Datei von etwa ${bytes}.`,
  inMemory: "Dieser Browser bewahrt sie auf, bis Sie sie herunterladen.",
  soundCopied: (codecs) => `Der Ton (${and("und", codecs)}) wird unverändert kopiert.`,
  soundEncoded: (codecs) => `Der Ton (${and("und", codecs)}) wird neu codiert.`,
  soundLost: (codecs, other) =>
    `Der Ton (${and("und", codecs)}) passt nicht in diese Datei${other ? `; in ${other} passt er` : ""}.`,
  noOutput: (size) =>
    `Dieser Browser kann kein Video von ${size} Pixeln schreiben. Wählen Sie einen kleineren Maßstab, oder nehmen Sie einen aktuellen Chrome, Edge oder Safari.`,

  // ---- Converting
  converting: (count, rate) => `${frames(count)}${rate ? `, ${rate} je Sekunde` : ""}: `,
  paused: (count) => `Pause nach ${count === 1 ? "1 Bild" : `${count} Bildern`}.`,
  stillConverting:
    "Ein Video wird gerade umgewandelt. Halten Sie das erst an, oder warten Sie, bis es fertig ist.",
  converted: (count, time, bytes) => `Fertig: ${frames(count)} in ${time}, ${bytes}.`,
  convertedPart: (count, length, bytes) =>
    `Angehalten. Die Datei lässt sich abspielen und enthält den Anfang, ${frames(count)} (${length}), ${bytes}.`,
  stoppedBefore: "Angehalten, bevor das erste Bild fertig war: Es gibt keine Datei.",
  damagedAt: (at, count, bytes) =>
    `Das Video ist bei ${at} beschädigt. Die Datei lässt sich abspielen und enthält, was davor liegt: ${frames(count)}, ${bytes}.`,
  endedEarly: (why, count, bytes) =>
    `${why} Die Datei lässt sich abspielen und enthält den Anfang, ${frames(count)}, ${bytes}.`,
  savedAs: (name) => `Gespeichert als „${name}“.`,

  // ---- Watching
  cameraName: "Kamera",
  shown: (rate, of) => (of ? `${rate} von ${of} Bildern je Sekunde` : `${rate} Bilder je Sekunde`),
  late: (ms) => `${ms} ms hinterher`,
  at: (now, end) => `${now} von ${end}`,
  cannotPlay: (name) =>
    `Dieser Browser kann ${name} nicht abspielen, aber umwandeln. Wandeln Sie das Video um, und sehen Sie das Ergebnis an.`,
  cameraRefused:
    "Der Browser hat dieser Seite keine Kamera erlaubt. Erlauben Sie es in der Adresszeile, und drücken Sie den Knopf noch einmal.",
  noCamera: "Es wurde keine Kamera gefunden. Schließen Sie eine an, und drücken Sie den Knopf noch einmal.",
  cameraBusy: (why) =>
    `Die Kamera ließ sich nicht starten (${why}). Vielleicht benutzt ein anderes Programm sie: Beenden Sie es, und versuchen Sie es noch einmal.`,

  // ---- The worker
  empty: (name) => `${name} ist leer. Laden oder kopieren Sie die Datei noch einmal.`,
  noVideo: (name) =>
    `${name} ist kein Video, das diese Seite lesen kann. Wählen Sie MP4, MOV, WebM oder MKV, oder wandeln Sie es vorher in eines davon um.`,
  damaged: (name, why) =>
    `${name} ist ein Video, aber beschädigt (${why}). Laden oder kopieren Sie es noch einmal.`,
  incomplete: (name) =>
    `${name} ist ein Video, aber sein Ende fehlt, und ohne das lässt es sich nicht lesen. Laden oder kopieren Sie es noch einmal.`,
  noVideoTrack: (name) => `${name} enthält keine Bilder, nur Ton. Wählen Sie eine Datei mit Video.`,
  noFrames: (name) => `${name} ist ein Video ohne ein einziges Bild. Wählen Sie eine andere Datei.`,
  cannotDecode: (name, codec) =>
    `${name} ist mit ${codec} codiert, das dieser Browser nicht lesen kann. Versuchen Sie einen anderen (Safari und Edge kennen mehr), oder wandeln Sie es vorher in H.264 oder VP9 um.`,
  undecodable: (name, why) =>
    `Die Bilder von ${name} lassen sich nicht lesen (${why}). Vielleicht ist die Datei beschädigt: Laden oder kopieren Sie sie noch einmal.`,
  unencodable: (why) =>
    `Dieser Browser konnte das Video nicht codieren (${why}). Wählen Sie einen kleineren Maßstab oder die andere Datei.`,
  fromHdr: "Das Video ist HDR. Das Ergebnis hat die Farben eines gewöhnlichen Bildschirms, mit 8 Bit.",
  becomesEight: "Das Video hat mehr als 8 Bit je Farbe. Das Ergebnis hat 8.",
  losesAlpha: "Wo es durchsichtig ist, wird das Ergebnis deckend.",
  otherTracks: (count) =>
    `Die Datei hat ${count === 1 ? "eine weitere Videospur, die" : `${count} weitere Videospuren, die`} im Ergebnis fehl${count === 1 ? "t" : "en"}.`,
  endIsMissing:
    "Das Ende der Datei fehlt: Sie wurde nicht ganz heruntergeladen oder kopiert. Was da ist, lässt sich umwandeln.",
  withoutSubtitles: "Die Untertitel werden weggelassen.",
  soundUnknown: "Eine Tonspur ist auf unbekannte Art codiert und wird weggelassen.",
  gone: "Dieses Video ist nicht mehr geöffnet. Wählen Sie es noch einmal.",
};
