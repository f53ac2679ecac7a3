/** The page's sentences in German. */
import type { Sentences } from "./english.ts";
import { firstNames } from "./list.ts";

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;
const steps = (count: number) => plural(count, "Schritt", "Schritte");

export const german: Sentences = {
  // ---- Fixed texts
  tagline: "Vergrößert Bilder mit neuronalen Netzen, auf dem eigenen Gerät. Nichts wird hochgeladen.",
  languageLabel: "Sprache",
  noWebGpu: "Netze brauchen WebGPU, und dieser Browser hat es nicht",
  meanwhile: "Interpolation geht auch ohne.",
  whatHelps: "Was hilft",
  helpsBrowser: "Ein aktueller Chrome oder Edge, Firefox ab 141 unter Windows, oder Safari 26.",
  helpsSecure: "Die Seite über https oder von localhost öffnen; sonst verbergen Browser WebGPU.",
  helpsAcceleration: "In Chrome sagt chrome://gpu, ob die Grafikbeschleunigung abgeschaltet ist.",
  helpsLinux: "Unter Linux braucht Chrome vielleicht den Schalter --enable-unsafe-webgpu.",
  howItWorks: "Wie es funktioniert",
  howEnlarge:
    "Wird ein Bild verkleinert, so gehen seine feinsten Einzelheiten verloren. Ein Netz, das viele Bilder groß und klein gesehen hat, hat gelernt, welche Einzelheiten meist zu dem gehören, was übrig ist: Kanten werden scharf, und was niemand wissen kann, bleibt weich. Ihr Bild kennt es nicht, und es kann falsch raten; vergleichen Sie also das Ergebnis mit dem Original.",
  howTrain:
    "Beim Anpassen lernt das Netz an Ihren eigenen Bildern weiter. Sie werden verkleinert, das Netz versucht sie wiederherzustellen, und wo es sich irrt, ändern sich seine Zahlen ein wenig. Ein Teil, von dem es nie lernt, zeigt, ob es besser geworden ist. Das wird in Dezibel (dB) gemessen: eines mehr ist ein Unterschied, den man nebeneinander sieht.",
  howPrivate:
    "Alles rechnet Ihr eigenes Gerät, mit seiner Grafikkarte, wo es kann. Bilder und Netze verlassen Ihr Gerät nie. Einmal geladen, geht die Seite auch ohne Internet, mit den Netzen, die sie schon benutzt hat.",
  source: "Quelltext",
  licence: "Lizenz: MIT",
  kernelPage: "Wie eine Faltung schnell wird",
  samplesOrigin:
    "Beispielfotos: gemeinfrei, aus scikit-image (S. van der Walt, R. Michetti, NASA) und stdlib",
  dismiss: "Schließen",
  whatToDo: "Was zu tun ist",
  enlargeTab: "Vergrößern",
  trainTab: "Anpassen",
  videoTab: "Video",
  trainHint:
    "Trainiert ein Netz mit Ihren eigenen Bildern. Ein Teil davon bleibt beiseite und zeigt, ob das Training geholfen hat.",
  beginWith: "Beginnen mit",
  learnFrom: "Lernen von",
  thisPicture: "diesem Bild",
  myFiles: "eigenen Dateien",
  choosePictures: "Bilder wählen…",
  chooseFolder: "Ordner wählen…",
  filesHint:
    "Große Bilder allein, oder Paare mit ihren kleinen Fassungen: photo.png und photo_x2.png, oder low/photo.png und high/photo.png.",
  scaleLabel: "Maßstab",
  stepsLabel: "Schritte",
  train: "Trainieren",
  trainingProgress: "Fortschritt des Trainings",
  lossCaption: "Der Fehler des Netzes an dem, wovon es lernt, verglichen mit",
  use: "Damit vergrößern",
  saveWeights: "Gewichte speichern",
  yourNetworks: "Ihre Netze",
  keptHint: "Sie bleiben in diesem Browser, bis Sie sie entfernen.",
  notStarted:
    "Das Skript dieser Seite läuft nicht. Haben Sie die Seite als Datei geöffnet, so stellen Sie ihren Ordner bereit (npx serve) und öffnen Sie die Adresse, die dann dasteht. Sonst erlauben Sie dieser Seite JavaScript.",
  chooser: "Bild",
  choosePicture: "Bild wählen…",
  dropHint: "oder eines hierher ziehen oder einfügen,",
  trySample: "oder ein Beispiel:",
  pictures: "Bilder",
  toSize: "Größe",
  targetWidth: "Pixel breit, höchstens",
  targetHeight: "Pixel hoch, höchstens",
  targetHint: "Eines von beiden genügt.",
  quality: "Qualität",
  fast: "Schnell",
  best: "Gut",
  other: "Andere",
  details: "Einzelheiten",
  method: "Verfahren",
  automatic: "nach dem Bild gewählt",
  removeNetwork: "Dieses Netz entfernen",
  methodHint:
    "„Gut“ sieht sich das Bild an und nimmt ein Netz für saubere Bilder oder eines für solche, denen JPEG, Rauschen oder Unschärfe geschadet hat. „Schnell“ ist ESPCN. Alle haben viele Fotos klein und groß gesehen. Die anderen sind zum Vergleichen da.",
  moreNetworks:
    "Weitere Netze: eine Datei mit Gewichten wählen oder hierher ziehen, mit pixelgrad trainiert (.safetensors) oder mit einem anderen Programm (.pth), oder unter „Anpassen“ eines machen. Sie bleiben in diesem Browser. Nichts in einer Datei wird ausgeführt.",
  enlargeProgress: "Fortschritt",
  saveAs: "Speichern als",
  lossless: "PNG, verlustfrei",
  download: "Herunterladen",
  copy: "Kopieren",
  shareResult: "Teilen …",
  left: "Links",
  original: "Original",
  bicubicLeft: "bikubisch",

  // ---- The page
  title: "pixelgrad: größere Bilder",
  dropHere: "Ein Bild, ein Video oder Gewichte hier loslassen",
  sample: (name) => `Beispiel: ${name}`,
  sampleNames: { Cat: "Katze", Astronaut: "Astronautin", Cup: "Tasse", Flower: "Blume" },
  sampleNotLoaded: (why) => `Das Beispiel ließ sich nicht laden (${why}). Wählen Sie ein eigenes Bild.`,
  oneVideo: (name) => `Nur das erste Video wird geöffnet, ${name}. Wählen Sie die anderen einzeln.`,
  noFile: "Das war keine Datei. Speichern Sie das Bild zuerst, und ziehen Sie dann die Datei hierher.",
  damagedDrawing: (name) =>
    `${name} ist eine SVG-Zeichnung, aber beschädigt. Laden oder kopieren Sie sie noch einmal.`,
  drawingTooLarge: (name, size) =>
    `${name} will ${size} Pixel groß sein, mehr als dieser Browser zeichnen kann. Geben Sie der Zeichnung eine kleinere Breite und Höhe.`,
  unreadable: (name) =>
    `${name} lässt sich nicht lesen: Die Datei wurde geändert, verschoben oder gelöscht, seit sie gewählt wurde. Wählen Sie sie noch einmal.`,
  noPicturesIn: (folders) => `In ${folders} wurden keine Bilder gefunden.`,
  lookingForWebGpu: "Suche WebGPU…",
  noWebGpuShort: "kein WebGPU",
  gpuBusy: "Die GPU ist belegt; versuchen Sie es gleich noch einmal.",
  notLoaded: "nicht geladen",
  sixteenBits: "16 Bit",
  software: (adapter) => `${adapter} (Software, langsam)`,

  // ---- Tasks
  stop: "Anhalten",
  stopping: "Hält an…",
  stopped: "Angehalten.",
  starting: "Beginnt…",
  progress: (what, done, total, left) =>
    `${what} ${done} von ${total}${left === undefined ? "" : `, noch etwa ${left}`}`,
  share: (prefix, percent, left) => `${prefix}${percent} %${left === undefined ? "" : `, noch etwa ${left}`}`,

  // ---- The comparison
  window:
    "Bild: Plus und Minus zoomen, 0 passt ein, 1 zeigt jedes Pixel als eines des Bildschirms, Pfeile verschieben",
  divider: "Anteil des linken Bildes",
  dividerAt: (percent, left, right) => `${percent} % ${left}, der Rest ${right}`,
  zoom: "Vergrößerung der Ansicht",
  zoomIn: "Näher heran",
  zoomOut: "Weiter weg",
  fit: "Einpassen",
  actual: "Jedes Pixel ist eines des Bildschirms",
  loupe: "Lupe",
  loupeHint: "Zeigt die Stelle unter dem Zeiger größer, in beiden Bildern (Taste L)",
  tryPart: "Diesen Teil proben",
  partHint: "Pfeiltasten verschieben ihn, Eingabe vergrößert ihn",
  wholePicture: "Ganzes Bild",

  // ---- Enlarging
  reading: (name) => `${name} wird gelesen …`,
  enlarge: (count) => (count < 2 ? "Vergrößern" : `${count} Bilder vergrößern`),
  becomes: (from, to) => `Aus ${from} werden ${to} Pixel.`,
  cannotDo: (method, scales) => `${method} kann kein ${scales.join(", ")}.`,
  notSoLarge: (method, scale, size) =>
    `„${method}“ vergrößert höchstens ${scale}-fach, das sind ${size} Pixel. Wählen Sie weniger Pixel.`,
  wrongTarget: "Sagen Sie, wie viele Pixel das Ergebnis haben darf: eine Breite, eine Höhe oder beides.",
  pictureOf: (at, count) => `Bild ${at} von ${count}: `,
  loading: "Lädt…",
  preparing: "Bereitet das Netz vor…",
  done: (time) => `Fertig in ${time}.`,
  partDone: (time) => `Dieser Teil brauchte ${time}.`,
  allDone: (count, time) => `Fertig: ${count} Bilder in ${time}.`,
  someDone: (done, count) => `${done} von ${count} Bildern sind fertig. Die Liste sagt, was misslang.`,
  from: "Aus",
  to: "Wird",
  by: "Durch",
  chosenFor: ({ signs, damage }) => {
    const words = { jpeg: `JPEG der Qualität ${damage.jpegQuality}`, noise: "Rauschen", blur: "Unschärfe" };
    return signs.length > 0
      ? `für ein Bild mit ${signs.map((sign) => words[sign]).join(", ")}`
      : "für ein Bild ohne Spuren von Schäden";
  },
  time: "Dauer",
  tiles: "Kacheln",
  on: "Auf",
  and: (parts) => parts.join(" und "),
  states: { waiting: "wartet", working: "wird vergrößert", done: "fertig", failed: "misslungen" },
  removeFromList: (name) => `${name} aus der Liste nehmen`,

  // ---- Files
  downloadAll: (count) => `Alle ${count} herunterladen (ZIP)`,
  saveAll: (count) => `Alle ${count} in einen Ordner speichern…`,
  writing: "Schreibt die Datei…",
  writingOf: (at, count) => `Schreibt Datei ${at} von ${count}…`,
  saved: (size) => `Gespeichert, ${size}.`,
  savedAll: (count, size) => `${plural(count, "Bild", "Bilder")} gespeichert, ${size}.`,
  savedInto: (count, folder) => `${plural(count, "Bild", "Bilder")} in „${folder}“ gespeichert.`,
  noteOn: (note, names) => `${note} (${firstNames(names, (n) => `und ${n} weitere`)})`,
  notSaved: (names, why) => `Nicht gespeichert: ${firstNames(names, (n) => `und ${n} weitere`)}. ${why}`,
  copied: "Kopiert.",
  shareAgain: "Das Bild ist fertig. Drücken Sie noch einmal auf „Teilen …“.",

  // ---- The worker
  workerFailed: (reason) => `Der Worker dieser Seite ist gescheitert: ${reason}. Laden Sie die Seite neu.`,
  workerNotLoaded:
    "Eine Datei dieser Seite ließ sich nicht laden, ihr Worker. Prüfen Sie die Verbindung und laden Sie die Seite neu. (Ist die Seite Ihre: Ihr Ordner muss ganz bereitstehen, und ihre Richtlinie muss Worker erlauben.)",

  partNotLoaded:
    "Eine Datei dieser Seite ließ sich nicht laden. Prüfen Sie die Verbindung, und versuchen Sie es noch einmal, oder laden Sie die Seite neu.",

  // ---- Training
  yourPicture: "Ihr Bild",
  trainingNeedsWebGpu: "Training braucht WebGPU.",
  newNetwork: "einem neuen kleinen Netz",
  newName: "Neues Netz",
  ownFiles: "eigene Dateien",
  tunedFor: (network, source) => `${network} für ${source}`,
  wrongSteps: (max) => `Schritte müssen eine ganze Zahl von 1 bis ${max} sein.`,
  noFiles: "Wählen Sie zuerst die Dateien, von denen gelernt werden soll.",
  measuring: "Misst das Netz, wie es ist…",
  step: "Schritt",
  trained: (count, time) => `${steps(count)} in ${time}.`,
  before: "Vorher",
  after: "Nachher",
  afterSteps: (count) => `Nach ${plural(count, "Schritt", "Schritten")}`,
  bicubic: "Bikubisch",
  noError: "kein Fehler",
  gained: (decibels, step, network) =>
    `Das Training hat an dem Teil, der beiseite blieb, ${decibels} gewonnen. „${network}“ ist das Netz nach Schritt ${step}, dem besten.`,
  nothingGained:
    "Nichts wurde gewonnen: An dem Teil, der beiseite blieb, war kein Schritt besser als der Anfang. Das Netz, mit dem Sie begonnen haben, ist das bessere, und nichts wurde geändert.",
  nothingToGain:
    "Hier ist nichts zu gewinnen: Der Teil, der beiseite blieb, wird von Anfang an ohne Fehler wiederhergestellt. Von einem Bild mit mehr Einzelheiten ließe sich mehr lernen.",
  fewPixels: "Das Bild ist winzig; von ihm ist wenig zu lernen.",
  slowTraining: "Dieser Browser rechnet in Software, ohne Grafikkarte, und das ist langsam.",
  learnsFrom: (pairs, singles) =>
    `Lernt von ${[
      pairs > 0 && plural(pairs, "Paar", "Paaren"),
      singles > 0 && plural(singles, "einzelnen Bild", "einzelnen Bildern"),
    ]
      .filter(Boolean)
      .join(" und ")}.`,
  leftOut: (names) =>
    `Ausgelassen, weil es keine Bilder, zu kleine, zu viele oder weitere Größen eines Paars sind: ${firstNames(names, (n) => `und ${n} weitere`)}.`,
  filesChosen: (count) => plural(count, "Datei", "Dateien"),
  reopened: (step) =>
    `Das Grafikgerät ging verloren. Das Training geht auf einem neuen von Schritt ${step} an weiter.`,
  nothingToLearnFrom: (width, height, scale) =>
    `Hier ist nichts zu lernen: Bei ×${scale} braucht jede Seite eines Bildes mindestens ${8 * scale} Pixel. Das gezeigte Bild hat ${width} × ${height}.`,
  otherScale: (scale, chosen) =>
    `Das sind Paare für ×${scale}, und gewählt ist ×${chosen}. Wählen Sie ×${scale}.`,
  stepsAxis: "Schritte",
  noLossYet: "Fehler: noch keine Schritte",
  lossAfter: (count, percent) =>
    `Fehler nach ${plural(count, "Schritt", "Schritten")}: ${percent} % des bikubischen`,

  // ---- The user's networks
  nameOf: (network) => `Name von ${network}`,
  saveNetwork: "Speichern",
  remove: "Entfernen",
  reallyRemove: (network) => `„${network}“ aus diesem Browser entfernen?`,
  notKept: (network) =>
    `Dieser Browser behält nichts für diese Seite, wie in einem privaten Fenster. Speichern Sie „${network}“, bevor Sie gehen.`,
};
