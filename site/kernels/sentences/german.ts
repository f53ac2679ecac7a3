/** The lesson in German: what its script says, and its fixed texts. */
import type { Sentences } from "./english.ts";
import type { Prose } from "./english-prose.ts";

const steps = (count: number) => `${count} ${count === 1 ? "Schritt" : "Schritten"}`;

const said: Sentences = {
  // ---- The page
  title: "Wie eine Faltung schnell wird · pixelgrad",
  lookingForWebGpu: "Suche WebGPU…",
  noWebGpu: "Kein WebGPU",
  notLoaded: "Nicht geladen",
  software: (adapter) => `${adapter} (Software: langsam)`,
  workerFailed: (reason) => `Der Worker dieser Seite ist gescheitert: ${reason}. Laden Sie die Seite neu.`,
  workerNotLoaded:
    "Eine Datei dieser Seite ließ sich nicht laden, ihr Worker. Prüfen Sie die Verbindung und laden Sie die Seite neu. (Ist die Seite Ihre: Ihr Ordner muss ganz bereitstehen, und ihre Richtlinie muss Worker erlauben.)",
  stop: "Anhalten",
  stopped: "Angehalten.",

  // ---- Measuring
  layer: ({ batch, inputs, outputs, window, side }) =>
    `${inputs} → ${outputs} Kanäle, ${window}×${window}, ${batch > 1 ? `${batch} Bilder zu ` : ""}${side} × ${side}`,
  measuring: "Misst…",
  findingCeilings: "Was die Karte höchstens schafft: Multiply-Adds in Registern, und Kopien…",
  computingReference: (layer) => `Die Referenz auf der CPU, in einfachen Schleifen: ${layer}…`,
  checkingStep: (step) => `${step}: wird übersetzt, dann wird das Ergebnis geprüft…`,
  checkingEdit: "Prüft das Ergebnis…",
  fitting: (program) => `${program}: wie oft es in einen Durchlauf passt…`,
  timing: (program, turn) => `${program}: Zeitmessung, Runde ${turn}…`,
  edited: (step) => `${step}, geändert`,
  beginsAgain: "Das Grafikgerät ging verloren. Die Messung beginnt auf einem neuen von vorn.",
  onAdapter: (layer, adapter) => `${layer} auf ${adapter}`,
  wayBack: "Der Weg zurück",
  wrongSteps: (names) => `Falsch auf diesem Adapter: ${names}. Das sollte nicht sein; bitte melden Sie es.`,
  rightSteps: (count) => `Alle ${count} Schritte rechnen richtig.`,
  refusedSteps: (names) => `Der Treiber dieses Adapters lehnt ${names} ab.`,
  fastestStep: (step, time, ratio, first) =>
    `Der schnellste, ${step}, braucht ${time}; das ist ${ratio} so schnell wie ${first}.`,
  wasLost: "Zwischendurch ging das Grafikgerät verloren; alles wurde auf einem neuen gemessen.",
  doesNotRun: "läuft nicht",
  right: "richtig",
  within: (error) => `auf ${error} des größten Werts genau`,
  wrongBy: (percent) => `um ${percent} falsch`,
  copied: "Kopiert.",
  cannotCopy: "Dieser Browser lässt die Seite nicht kopieren; nehmen Sie JSON.",

  // ---- What was measured, and how
  ceilings: (before, after) => `Multiply-Adds allein in Registern: ${before} vorher, ${after} nachher.`,
  unsteady: "Der Adapter lief nicht gleich schnell; trauen Sie Verhältnissen mehr als Anteilen.",
  bestTime: (copy, best, limit) =>
    `Eine Kopie dieser Größe: ${copy}. Bestenfalls würde diese Faltung ${best} brauchen, begrenzt ${limit === "bytes" ? "vom Transport ihrer Daten" : "vom Rechnen"}.`,
  nothingTimed: "Es wurde keine Zeit gemessen.",
  medians: (runs, clock) =>
    `Zeiten sind Mediane von ${runs} abwechselnden Durchläufen nach dem Warmlaufen, ${
      clock === "gpu"
        ? "nach der Uhr der GPU"
        : "nach der Wanduhr, weil dieser Adapter keine eigene Uhr zu lesen gibt; jeder Durchlauf wiederholt den Kernel und wartet einmal"
    }.`,
  someValues: (checked, all, name) => `${checked} von ${all} Werten von ${name}`,
  allCompared: "Alle Werte wurden mit einfachen Schleifen auf der CPU in float64 verglichen.",
  partlyCompared: (parts) =>
    `Einfache Schleifen auf der CPU in float64 haben ${parts.join(" und ")} geprüft; alle anderen wurden mit denen des ersten Schritts verglichen.`,

  // ---- A step
  runKernel: "Diesen Kernel ausführen",
  reset: "Zurücksetzen",
  compiling: "Übersetzt…",
  programOf: (step) => `Das Programm von Schritt ${step} in WGSL`,
  prelude: "Was davor steht: Konstanten für diese Faltung",
  perLoad: "Multiply-Adds je Ladezugriff",
  perSharedRead: "… je Zugriff auf Workgroup-Speicher",
  threads: "Workgroups × Threads",
  barriers: "Barrieren",
  largestDifference: "Größter Unterschied",
  wrongAt: (error) => `${error}: falsch`,
  onThisAdapter: "Auf diesem Adapter",
  doesNotCompile: "nicht übersetzbar",
  compiledIn: "Übersetzt in",
  time: "Zeit",
  speed: "Tempo",
  ofCeiling: "Anteil an der Obergrenze",
  notLaunched: "Es lässt sich nicht übersetzen oder nicht starten:",
  lostInEdit:
    "Während dieser Kernel lief, ging das Grafikgerät verloren: Vielleicht endet eine seiner Schleifen nicht oder braucht länger, als der Browser erlaubt. Für den nächsten Lauf wird es wieder geöffnet.",
  line: (line) => `Zeile ${line}`,
  rightEdit: "Richtig",
  rightWithin: (error) => `, auf ${error} des größten Werts genau.`,
  timedEdit: (time, speed, share, compared, original) =>
    `${time}, ${speed}, ${share} der Obergrenze: ${compared} (${original}, abwechselnd gemessen).`,
  asFast: "etwa so schnell wie der Schritt selbst",
  faster: (ratio) => `${ratio} so schnell, wie der Schritt war`,
  slower: (ratio) => `langsamer als der Schritt: ${ratio} so lange`,
  wrongEdit: (percent, place, got, want) =>
    `Falsch. Der größte Unterschied ist ${percent} des größten Werts, bei ${place}: ${got} statt ${want}. Wie schnell es ist, zählt nicht, also wurde keine Zeit gemessen.`,
  unwrittenEdit: (place, got, want) =>
    `Falsch. Manche Werte sind keine Zahlen oder wurden nie geschrieben, etwa ${place}: ${got} statt ${want}. Wie schnell es ist, zählt nicht, also wurde keine Zeit gemessen.`,
  placeInY: (picture, channel, row, column) =>
    `Bild ${picture}, Kanal ${channel}, Zeile ${row}, Spalte ${column}`,
  placeInDw: (output, input, row, column) =>
    `Ausgabekanal ${output}, Eingabekanal ${input}, Zeile ${row} und Spalte ${column} des Fensters`,

  // ---- The drawings of the steps
  play: "Abspielen",
  pause: "Anhalten",
  previous: "Voriges Bild",
  next: "Nächstes Bild",
  frameCount: (at, all, loads, multiplyAdds, ratio) =>
    `${at}/${all} · bisher ${loads} Ladezugriffe, ${multiplyAdds} Multiply-Adds: ${ratio} je Zugriff`,
  marks: {
    load: "lädt aus dem Speicher",
    shared: "im Workgroup-Speicher",
    read: "liest aus der Nähe",
    compute: "Summen, die wachsen",
    coming: "unterwegs",
  },
  pixels: "Pixel",
  ownPixels: "Pixel dieser Lane",
  channelPixels: "Pixel eines Kanals",
  weights: "Gewichte",
  weightsOf: (channels) => `Gewichte von ${channels} Kanälen`,
  weightsByLanes: "Gewichte, nach Lanes",
  outputs: "Ausgaben",
  channelOutputs: "Ausgaben eines Kanals",
  sums: "Summen in Registern",
  weightGradient: "Gradient der Gewichte",
  dyOf: (channels) => `dy von ${channels} Kanälen`,
  nextRound: "die nächste Runde",
  workgroupOf: (rows, columns) => `Eine Workgroup: ${rows} × ${columns} Threads mit je einer Ausgabe`,
  threadOf: (pixels, channels) => `Ein Thread: ${pixels} Pixel in ${channels} Ausgabekanälen`,
  laneOf: (lanes, pixels, channels) =>
    `Eine Lane von ${lanes}: ${pixels} Pixel in ${channels} Ausgabekanälen`,
  tileOf: (threads, channels, rows, columns) =>
    `Eine Workgroup von ${threads} Threads: ${channels} Kanäle zu ${rows} × ${columns}; ein Thread ist gezeichnet`,
  threadsOfPair: (threads) => `Die ${threads} Threads eines Paars von Kanälen, mit je einem Gewicht`,
  gradThreadOf: (weights, channels) =>
    `Ein Thread: ${weights} Gewichte zu jedem von ${channels} Ausgabekanälen; gezeichnet sind die ersten zwei Streifen einer Zeile, und alle weiteren laden wie der zweite`,
  gradTileOf: (threads, inputs, outputs) =>
    `Eine Workgroup von ${threads} Threads: ${inputs} Eingabe- zu ${outputs} Ausgabekanälen; ein Thread ist gezeichnet`,
  gradRowsOf: (threads, inputs, outputs) =>
    `Eine Workgroup von ${threads} Threads: ${inputs} Eingabe- zu ${outputs} Ausgabekanälen; gezeichnet sind ein Thread und die ersten zwei Zeilen, und alle weiteren laden wie die zweite`,
  equalShares:
    "Alle Threads laden gleich viel, einige also einen Wert, den niemand braucht. Unten zählt er mit.",
  naiveFrame:
    "Jeder der 64 Threads lädt sein eigenes Pixel und, jeder für sich, dasselbe Gewicht: 128 Ladezugriffe für 64 Multiply-Adds.",
  tiledCopy: (rows, columns) =>
    `Alle Threads zusammen kopieren ${rows} × ${columns} Pixel in den Workgroup-Speicher, jedes einmal, und warten.`,
  tiledFrame: (threads) =>
    `Pixel kommen jetzt aus dem Workgroup-Speicher. Das Gewicht kommt noch aus dem Grafikspeicher, für jeden der ${threads} Threads.`,
  blockedLoad: (pixels) => `Der Thread lädt ${pixels} Pixel einer Zeile in Register.`,
  blockedFrame: (channels, pixels) =>
    `${channels} Gewichte, eines für jeden Kanal. Jedes wird mit ${pixels} Pixeln multipliziert: ${channels * pixels} Multiply-Adds.`,
  broadcastPixels: (pixels) => `Jede Lane lädt ${pixels} eigene Pixel.`,
  neighborsPixels:
    "Was daneben liegt, geben die benachbarten Lanes herüber. Nur für die äußersten Lanes wird es geladen.",
  broadcastWeights: (lanes, weights, share) =>
    `Die ${lanes} Lanes teilen sich die ${weights} Gewichte: Jede lädt ${share}. Die Helligkeit unterscheidet die Lanes.`,
  broadcastFrame: "Die Lane, die ein Gewicht hat, reicht es allen anderen. Kein Ladezugriff.",
  sharedCopy:
    "Die Workgroup kopiert die Pixel unter ihrer Kachel und die Gewichte ihrer Kanäle in den Workgroup-Speicher. Alle warten.",
  sharedColumn: (pixels) =>
    `Ein Thread liest eine Spalte von ${pixels} Pixeln, für alle Zeilen seines Blocks.`,
  sharedFrame: (channels, multiplyAdds) =>
    `Für jeden seiner ${channels} Kanäle liest er ein Gewicht, vier auf einmal: ${multiplyAdds} Multiply-Adds.`,
  prefetchCopy: "Die Pixel und Gewichte, die angekommen sind, gehen in den Workgroup-Speicher. Alle warten.",
  prefetchPairs: (reads) =>
    `Ein Thread liest die Pixel unter seinem Block, zwei auf einmal: ${reads} Lesezugriffe. Er behält sie in Registern.`,
  prefetchFrame:
    "Während die Threads rechnen, ist schon unterwegs in Register, was sie als Nächstes brauchen.",
  gradNaiveFrame: (weights) =>
    `An dieser Stelle lädt jeder Thread dy und das Pixel, auf das sein Gewicht traf: ${2 * weights} Ladezugriffe für ${weights} Multiply-Adds.`,
  gradLoad: (outputs, rows, columns) =>
    `Ein Streifen von ${outputs} Ausgaben sah ${rows} × ${columns} Pixel. Der Thread lädt sie.`,
  gradNextLoad: (columns) =>
    `Der nächste Streifen: Der Thread behält die Spalten, die er hat, und lädt ${columns} neue in jeder Zeile.`,
  gradLanes: (lanes, values, share) =>
    `Die ${lanes} Lanes einer Subgroup teilen sich die ${values} Werte von dy: Jede lädt ${share} und reicht sie den anderen. Die Helligkeit unterscheidet die Lanes.`,
  gradFrame: (channels, pixels) =>
    `${channels} Werte von dy. Jeder wird mit ${pixels} Pixeln multipliziert: ${channels * pixels} Multiply-Adds.`,
  gradSharedCopy: (columns) =>
    `Die Workgroup kopiert ${columns} Spalten von dy, und die Pixel, die das Fenster dort sah, in den Workgroup-Speicher.`,
  gradSharedFrame: (rows, columns, outputs, channels, multiplyAdds) =>
    `Von dort liest ein Thread ${rows} × ${columns} Pixel und ${outputs} × ${channels} Werte von dy, für ${multiplyAdds} Multiply-Adds.`,
  gradRollingCopy: (rows, columns) =>
    `Die Workgroup kopiert die ${rows} Zeilen von Pixeln, die das Fenster sieht, und ${columns} Spalten einer Zeile von dy in den Workgroup-Speicher.`,
  gradRollingDown:
    "Eine Zeile abwärts. Neu sind nur eine Zeile von Pixeln und eine von dy; sie waren unterwegs, während die Threads rechneten.",

  // ---- The training step
  flower: "Blume",
  town: "Stadt",
  rings: "Ringe",
  noPicture: (name) => `${name} ist kein Bild, das dieser Browser lesen kann.`,
  wentOn: (adapter) =>
    `Das Grafikgerät ging verloren. Das Netz machte auf ${adapter} dort weiter, wo es zuletzt gezeichnet wurde; das Gedächtnis von Adam begann neu.`,
  input: (width, height) => `Eingabe, ${width} × ${height}`,
  target: "Ziel",
  maps: (layer, count) => `nach Schicht ${layer}: ${count} Karten`,
  output: "Ausgabe",
  difference: "Ausgabe − Ziel, Grau ist 0",
  gradientOfOutput:
    "nach den drei Farben der Ausgabe, Grau ist 0; gezeichnet ist die Wurzel jedes Werts, damit man auch kleine sieht",
  gradientOfMaps: (layer) => `nach den Karten hinter Schicht ${layer}, Grau ist 0; gezeichnet ist die Wurzel`,
  firstWeights: "Gewichte der ersten Schicht: ein Bild für jede ihrer Karten",
  theirGradients: "ihre Gradienten",
  change: "Änderung seit der ersten Zeichnung",
  baseline: "die Eingabe, wie sie ist",
  stepAndLoss: (step, loss) => `Schritt ${step}, Fehler ${loss}`,
  noLossYet: "Fehler: noch keine Schritte",
  lossAfter: (count, loss, baseline) =>
    `Fehler nach ${steps(count)}: ${loss}; der Eingabe, wie sie ist: ${baseline}`,
};

const prose: Prose = {
  skip: "Zur Lektion springen",
  ladderTitle: "Wie eine Faltung schnell wird",
  trainingTitle: "Einem Trainingsschritt zusehen",
  noWebGpuTitle: "Hier kann nichts laufen: Dieser Browser hat kein WebGPU",
  noWebGpuText:
    "Die Texte, Zeichnungen und Programme unten lassen sich trotzdem lesen. Um sie auszuführen, nehmen Sie einen aktuellen Chrome oder Edge, Firefox ab 141 unter Windows, oder Safari 26, über https oder von localhost.",
  libraryMessage: "Die Meldung der Bibliothek (auf Englisch)",
  ladderLead:
    "Ein Netz, das ein Foto vergrößert, verbringt fast seine ganze Zeit mit einer einzigen Operation. Hier ist sie sechsmal geschrieben, jedes Mal ein wenig klüger, in WGSL, der Sprache, in der Browser Grafikkarten programmieren. Die Programme laufen auf *Ihrer* Karte: Sie werden mit einfachen Schleifen verglichen, ihre Zeit wird gemessen, und Sie können sie ändern.",
  convolution: "Faltung",
  runAll: "Alle Schritte ausführen",
  step: "Schritt",
  ceilingEnd: "Obergrenze der Karte",
  shareColumn: "der Ober\u00ADgrenze",
  timeColumn: "Zeit",
  speedUp: "Faktor",
  result: "Ergebnis",
  copyReport: "Als Markdown kopieren (englisch)",
  downloadReport: "JSON herunterladen",
  taskTitle: "Was zu berechnen ist",
  taskChannels:
    "Ein Bild kommt in Kanälen: am Anfang Rot, Grün und Blau, später 64 *Feature-Maps* (Merkmalskarten), die sich ein Netz selbst gemacht hat. Eine Faltung macht daraus neue Kanäle. Jeder Wert der Ausgabe ist eine gewichtete Summe der Pixel um seine Stelle, in allen Eingabekanälen. In Python:",
  loops: `for o in range(outputs):              # jeder Ausgabekanal
  for row in range(height):           # jede Stelle im Bild
    for column in range(width):
      for c in range(inputs):         # jeder Eingabekanal
        for ky in range(3):           # jedes Pixel des Fensters
          for kx in range(3):
            y[o, row, column] += x[c, row + ky - 1, column + kx - 1] * weight[o, c, ky, kx]`,
  taskMultiplyAdds:
    "Dabei beginnt `y` mit 0, und außerhalb des Bildes gilt `x` als 0. (In Python selbst wäre der Index -1 die letzte Zeile.) Die letzte Zeile ist ein *Multiply-Add*: eine Multiplikation und eine Addition in einem Befehl. Mit 64 Kanälen am Eingang und am Ausgang braucht ein Bild von 64 × 64 Pixeln 151 Millionen davon. Alle Ausgaben lassen sich gleichzeitig berechnen, denn keine braucht eine andere. Dafür ist eine Grafikkarte da: Sie hat Hunderte oder Tausende Rechenwerke. Aber jedes braucht zwei Zahlen zum Multiplizieren, und da liegt die Schwierigkeit. Ein Multiply-Add dauert einen Takt. Eine Zahl aus dem Speicher zu holen dauert Hunderte. Alle Schritte unten drehen sich also um eine Frage:",
  question: "Wie oft können wir mit jeder Zahl rechnen, die wir laden?",
  thread: "Der Thread",
  threadText:
    "Ein Lauf des Programms, mit seinem eigenen Teil der Daten. Die Karte führt sehr viele gleichzeitig aus.",
  register: "Das Register",
  registerText:
    "Hier hält ein Thread seine eigenen Variablen. Das Lesen kostet nichts. Es gibt ein paar Dutzend bis 255.",
  workgroup: "Die Workgroup",
  workgroupText:
    "Threads, die zusammen starten, sich einen kleinen Speicher teilen, den *Workgroup-Speicher* (16 KiB, auf einer Karte schnell), und an einer *Barriere* aufeinander warten können.",
  subgroup: "Die Subgroup",
  subgroupText:
    "4 bis 128 Threads einer Workgroup, ihre *Lanes*, die jeden Befehl im Gleichschritt ausführen und einander Werte reichen können.",
  ladderPart: "Die Leiter",
  ladderText:
    "Ändern Sie, was Sie wollen. Was sich nicht übersetzen lässt, wird mit seiner Zeile gezeigt; von dem, was falsch rechnet, wird gesagt, dass es falsch ist, und wo. Eine Warnung: Eine Schleife, die nie endet, kann den ganzen Browser einige Sekunden lang am Zeichnen hindern, bis er die Karte zurücksetzt. Die Kommentare in den Programmen sind englisch, denn es sind die Programme der Bibliothek selbst, Wort für Wort.",
  naiveTitle: "Ein Thread für jede Ausgabe",
  naive1:
    "Nehmen Sie die Schleifen von oben, und lassen Sie die äußeren drei von der Karte ausführen. Jeder Thread berechnet einen Wert von `y`: Die Threads ersetzen die Schleifen über `o`, `row` und `column`, und die Schleifen über `c`, `ky` und `kx` bleiben.",
  naive2:
    "Das ist richtig, und es ist kurz. Aber jedes Multiply-Add braucht zwei Ladezugriffe, ein Pixel und ein Gewicht: Auf jeden Ladezugriff kommt nur ein halbes. Nachbarn laden fast dieselben Pixel, und alle Threads eines Ausgabekanals laden dieselben Gewichte, jeder für sich.",
  naiveTry:
    "**Zum Ausprobieren:** `id.x` und `id.y` in der Zeile `let column = …` zu vertauschen. Das Ergebnis bleibt richtig. Auf einer Karte wird es langsamer, weil benachbarte Threads dann Pixel lesen, die weit auseinander liegen. Oder löschen Sie in `x_at` die Zeile mit dem `if`, und sehen Sie, wo das Ergebnis falsch wird.",
  tiledTitle: "Die Pixel teilen",
  tiled1:
    "Eine Workgroup von 16 × 16 Threads berechnet ein Quadrat der Ausgabe. Vor jedem Eingabekanal kopieren ihre Threads zusammen die Pixel unter dem Quadrat in den Workgroup-Speicher und warten an einer Barriere, bis alle da sind. Dann nimmt sich jeder Thread seine neun Pixel aus diesem Speicher.",
  tiled2:
    "Ein Pixel kommt jetzt etwa einmal aus dem Grafikspeicher und nicht neunmal. Die Gewichte kommen noch einzeln: also 0,9 Multiply-Adds je Ladezugriff. Auf einer Karte hilft das ein wenig. Auf einem Prozessor, der eine Karte nachahmt, ist es sogar langsamer als Schritt 1: Dort ist Workgroup-Speicher gewöhnlicher Speicher, und an jeder Barriere müssen 256 Threads beiseitegelegt und wieder aufgenommen werden.",
  tiledTry:
    "**Zum Ausprobieren:** die zweite `workgroupBarrier()` zu löschen. Jetzt überschreiben schnelle Threads, was langsame noch lesen. Vielleicht ist das Ergebnis falsch, vielleicht zum Glück richtig: Das nennt man eine Race-Condition.",
  blockedTitle: "Jeder Thread tut mehr",
  blocked1:
    "Der beste Speicher sind die Register. Also berechnet ein Thread einen ganzen Block von Ausgaben: 8 Pixel nebeneinander in 16 Kanälen, 128 Summen auf einmal. Für eine Zeile des Fensters lädt er 10 Pixel und 3 × 16 Gewichte. Jedes Pixel dient dann 16 Kanälen und bis zu drei Stellen des Fensters, jedes Gewicht 8 Pixeln: 58 Ladezugriffe für 384 Multiply-Adds.",
  blocked2:
    "Das sind 6,6 je Ladezugriff, dreizehnmal so viele wie in Schritt 1, und ohne Barriere. Auf diesem Gedanken beruht jedes schnelle Matrixprodukt: Ein Block von *a* × *b* Summen braucht nur *a* + *b* Ladezugriffe.",
  blockedTry:
    "**Zum Ausprobieren:** Wo `// @unroll` steht, schreibt die Bibliothek eine Schleife aus, bevor sie übersetzt wird. Nehmen Sie die Marke von der Schleife um `sums[o * PIXELS + i] +=` weg. Jetzt ist der Index keine Konstante mehr, die Summen können nicht in Registern bleiben, und auf den meisten Adaptern sieht man das an der Zeit.",
  broadcastTitle: "Ein Gewicht einmal laden und weiterreichen",
  broadcast1:
    "Alle Lanes einer Subgroup haben dieselben Ausgabekanäle, brauchen also gleichzeitig dieselben 48 Gewichte. In Schritt 3 lädt jede Lane alle. Hier lädt jede Lane ihren Anteil, und wann immer ein Gewicht gebraucht wird, reicht es die Lane, die es hat, allen anderen: `subgroupBroadcast` (auf lavapipe `subgroupShuffle`, das dort schneller ist; die Lanes reichen einander dann auch Pixel).",
  broadcast2:
    "Eine richtige Karte merkt von selbst, wenn Lanes dieselbe Adresse laden, und gewinnt wenig. Ein Prozessor, der eine Karte nachahmt, merkt es nicht und wird hier mehrmals so schnell.",
  broadcastTry:
    "**Zum Ausprobieren:** Lane 0 alle Gewichte verteilen zu lassen: Setzen Sie `0` an die Stelle von `(kx * CHANNELS + o) % LANES`, in beiden Zeilen, in denen es steht. Das ist genauso schnell, und falsch. Eine Zeit ohne Prüfung ist nichts wert.",
  noSubgroups:
    "Dieser Adapter hat keine Subgroups von fester Größe. Das Weiterreichen braucht sie, also läuft dieser Schritt hier nicht.",
  sharedTitle: "Teilen und Blöcke zugleich",
  shared1:
    "Schritte 2 und 3 zusammen, für richtige Karten. Die Workgroup kopiert Pixel *und* Gewichte einiger Eingabekanäle in den Workgroup-Speicher, und von dort berechnet jeder Thread einen Block von Summen. Ein Pixel kommt einmal für alle Kanäle der Kachel aus dem Grafikspeicher, ein Gewicht einmal für alle ihre Pixel.",
  shared2:
    "Der Block ist jetzt eine *Spalte* von Pixeln. Benachbarte Threads lesen dann benachbarte Worte des Workgroup-Speichers; die liegen in verschiedenen *Bänken* und kommen gleichzeitig. Läsen alle aus einer Bank, so müssten sie Schlange stehen.",
  sharedTry:
    "**Zum Ausprobieren:** die innerste Zeile mit `fma` zu schreiben: `sums[…] = fma(w, vec4f(under[…]), sums[…]);`. Ist es schneller, oder ist der Compiler schon selbst darauf gekommen?",
  noTile: "Keine Kachel dieses Schritts passt zum Fenster dieser Faltung.",
  prefetchTitle: "Vorausladen",
  prefetch1:
    "In Schritt 5 laden die Threads, warten, rechnen und warten wieder. Aber eine Karte hält nicht an, wo sie lädt: Sie hält erst an, wo der geladene Wert *gebraucht* wird. Also lädt jeder Thread jetzt zuerst seinen Anteil der nächsten Runde in Register, rechnet inzwischen die gegenwärtige Runde und legt erst dann in den Workgroup-Speicher, was angekommen ist.",
  prefetch2:
    "Dazu spart er Befehle. Wo sein Anteil liegt, ist in jeder Runde gleich; also sucht er die Stellen nur einmal, vor der ersten. Und Pixel kommen paarweise: Ein Block ist zwei Spalten breit, und ein Lesezugriff auf den Workgroup-Speicher bringt zwei Pixel. Das ist der Kernel, den die Bibliothek auf richtigen Karten nimmt; auf Software-Adaptern ist es Schritt 4.",
  prefetchTry:
    "**Zum Ausprobieren:** den Block `if (first_c < p.c) { … }` hinter den Block `if (turn > 0) { … }` zu setzen, der rechnet. Das Ergebnis ist dasselbe, und die Ladezugriffe kommen zu spät: Das ist wieder Schritt 5.",
  backPart: "Der Weg zurück",
  backText:
    "Das Training braucht in jeder Schicht zwei weitere Faltungen. Der Fehler (englisch *loss*) sagt durch `dy`, wie er sich mit jeder Ausgabe ändern würde; daraus gibt die Kettenregel seine Ableitungen nach jedem Pixel, `dx`, und nach jedem Gewicht, `dw`. Für `dx` dienen die Schritte oben noch einmal, mit umgedrehten Gewichten. Jeder Wert von `dw` ist die Summe über alle Stellen von `dy` mal dem Pixel, auf das das Gewicht dort traf. Wenige Ergebnisse, jedes eine Summe von Tausenden von Produkten. Dieselbe Leiter, umgedreht.",
  gradNaiveTitle: "Ein Thread für jedes Gewicht",
  gradNaive1:
    "Wieder die Definition: Ein Thread summiert die Produkte eines Gewichts über alle Stellen. 64 × 64 Kanäle mit einem Fenster von 3 × 3 geben 36.864 Threads, und das sind zu wenige, um eine große Karte zu füllen. Jeder liest beide Tensoren von Neuem, und jedes Produkt kostet zwei Ladezugriffe.",
  gradNaiveTry:
    "**Zum Ausprobieren:** jede zweite Spalte auszulassen (`column += 2u` statt `column++`). Doppelt so schnell, und die Prüfung sagt, wie falsch.",
  gradBlockedTitle: "Teile und Blöcke",
  gradBlocked1:
    "Damit es genug Threads gibt, werden die Zeilen aller Bilder auf *Teile* verteilt. Jeder Teil summiert seine eigenen Zeilen, und ein kleiner zweiter Kernel zählt die Teile zusammen, immer in derselben Reihenfolge, so dass sich Ergebnisse bis aufs letzte Bit wiederholen. Und wie in Schritt 3 hält ein Thread einen Block von Summen: alle Gewichte eines Eingabekanals zu 16 Ausgabekanälen. Ein Wert von `dy` dient dann neun Summen und ein Pixel bis zu 48: drei Stellen des Fensters in 16 Kanälen.",
  gradSharedTitle: "Geteilt und vorausgeladen",
  gradShared1:
    "Schritte 5 und 6 für Summen: Die Workgroup kopiert ein Stück der Zeilen, Pixel und `dy`, in den Workgroup-Speicher, während die Threads noch das Stück davor summieren.",
  gradRollingTitle: "Zeile um Zeile abwärts",
  gradRolling1:
    "Schritt c lädt eine Zeile von Pixeln einmal für jede Zeile des Fensters: bei 3 × 3 dreimal. Hier geht die Workgroup einen Streifen des Bildes hinunter, und die Zeilen, die das Fenster sieht, bleiben im Workgroup-Speicher. Mit jedem Schritt abwärts kommen eine Zeile von Pixeln und eine von `dy` hinzu. Die Zeilen liegen in einem Ring mit einem Platz mehr als nötig, so dass die nächste ankommen kann, während langsamere Threads die anderen noch lesen: Eine Barriere für jede Zeile genügt.",
  gradRolling2:
    "Adressen werden nur einmal für den ganzen Weg berechnet, und aus dem Workgroup-Speicher werden vier Werte auf einmal gelesen. Das ist der Kernel, den die Bibliothek auf richtigen Karten nimmt.",
  restPart: "Was übrig bleibt",
  rest1:
    "Die Obergrenze ist, was Ihre Karte unmittelbar davor und danach nur mit Multiply-Adds in Registern schaffte, ohne einen einzigen Ladezugriff. Keine Faltung erreicht sie: Adressen sind zu berechnen, Schleifen zu zählen, Werte zu bewegen. Auf großen Karten im Rechenzentrum kommt Schritt 6 auf etwa 60 %, und Schritt d etwa bis zur Hälfte. Der Anteil sagt Ihnen, ob es sich lohnt, weiter zu suchen. Wählen Sie oben eine andere Faltung und führen Sie alles noch einmal aus: Bei wenigen Kanälen gibt es weniger zu teilen, und andere Schritte gewinnen.",
  rest2:
    "Die Programme auf dieser Seite sind die der Bibliothek, keine Abschriften: In `src/kernels/conv2d` stehen sie in derselben Reihenfolge, mit den Regeln, nach denen sie eines für Ihre Karte auswählt.",
  trainingLead:
    "Ein Netz aus drei Faltungen lernt, ein kleines Bild zu schärfen. Alles, was unten gezeichnet ist, wurde mitten im Training von Ihrer Karte gelesen: was die Schichten sehen, wie sich der Fehler ändern würde, und die Gewichte, wie sie sich bewegen.",
  picture: "Bild",
  ownPicture: "Eigenes…",
  learningRate: "Lernrate",
  stepsBetween: "Schritte zwischen zwei Zeichnungen",
  oneStep: "Ein Schritt",
  beginAnew: "Neu beginnen",
  forwardTitle: "1. Vorwärts",
  forwardText:
    "Die Eingabe ist das Ziel in halber Größe, durch Interpolation wieder vergrößert. Die Fenster der ersten Schicht, 5 × 5 Pixel in drei Farben, gleiten darüber. (Das Netz bekommt sie weniger 0,5, so dass ihre Werte um 0 liegen.)",
  featuresTitle: "Feature-Maps",
  featuresText:
    "Was jede Schicht daraus macht, nach ReLU: Schwarz ist 0. Die erste Schicht findet Kanten und Farben, die zweite verbindet sie. Code: `Conv2d.forward` in `src/nn/layers.ts`, das `conv2d` aufruft, und `relu`, das der Trainingsschritt in `site/kernels/training.ts` selbst aufruft.",
  lossTitle: "2. Der Fehler",
  lossText:
    "Der Fehler, englisch *loss*, ist das mittlere Quadrat des Unterschieds zwischen Ausgabe und Ziel. Das Ergebnis der letzten Schicht wird zur Eingabe addiert; das Netz lernt also den Unterschied. Code: `mseLoss` in `src/kernels/loss`.",
  backwardTitle: "3. Rückwärts",
  backwardText:
    "Wie sich der Fehler mit jedem einzelnen Wert ändern würde: Orange, er würde wachsen, wenn dieser Wert wüchse; Blau, er würde fallen. Das beginnt bei der Ausgabe, wo es die Abweichung vom Ziel ist (mal 2, geteilt durch die Anzahl der Werte), und geht nach der Kettenregel Schicht um Schicht zurück. Code: `backward` in `src/tensor/tape.ts`, das die Regel jeder Operation aufruft.",
  updateTitle: "4. Anpassen",
  updateText:
    "Die Gewichte der ersten Schicht als kleine farbige Bilder: Grau ist 0, ein hellroter Fleck zählt das Rot des Pixels dort hinzu. Daneben ihre Gradienten, und was sich seit der ersten Zeichnung geändert hat: Aus Rauschen werden Kanten und Farbflecke. Adam bewegt jedes Gewicht gegen seinen Gradienten, etwa um die Lernrate. Code: `Adam.step` in `src/nn/optimizer.ts`, ein Kernel für alle Gewichte.",
  private: "Alles läuft in diesem Browser. Nichts wird hochgeladen.",
  enlargeLink: "Ein Bild vergrößern",
  languageLabel: "Sprache",
  lessons: "Lektionen",
  runLabel: "Die Schritte ausführen",
  measureProgress: "Fortschritt der Messung",
  results: "Ergebnisse",
  controlTraining: "Das Training steuern",
};

export const german: Sentences & Prose = { ...said, ...prose };
