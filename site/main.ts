/**
 * The page: puts its parts together. Read next:
 *
 *     upscale-panel.ts, train-panel.ts    two of the tabs
 *     video/video-panel.ts                the third, which loads when it is opened
 *     own-networks.ts                     the user's networks
 *     language.ts, sentences/english.ts   what the page says
 *     compare.ts, loss-plot.ts            what they show
 *     picture-chooser.ts                  where pictures come from
 *     engine.ts -> worker.ts              tasks, and where they run; messages.ts lists them
 *     network-tasks.ts, fine-tune.ts      what the worker does with the library
 *     material.ts, patches.ts             what a network learns from
 */
import "./style.css";
import { isSoftware } from "./adapter.ts";
import { Engine } from "./engine.ts";
import { gpuAnswers } from "./gpu-probe.ts";
import { type LanguageCode, language, say, useLanguage } from "./language.ts";
import { beginIn, offerLanguages, preferredLanguage } from "./languages.ts";
import { MessageLine } from "./message-line.ts";
import type { MethodInfo } from "./messages.ts";
import { workOffline } from "./offline.ts";
import { OwnNetworks } from "./own-networks.ts";
import { PATIENCE, soon } from "./patience.ts";
import { PictureChooser } from "./picture-chooser.ts";
import { readBytes } from "./read-bytes.ts";
import { dimensions } from "./size.ts";
import { Tabs } from "./tabs.ts";
import { TaskControl } from "./task-control.ts";
import { TrainPanel } from "./train-panel.ts";
import { UpscalePanel } from "./upscale-panel.ts";
import type { VideoPanel } from "./video/video-panel.ts";

/** Between two looks for a GPU, in milliseconds. */
const GPU_PAUSES = [3000, 10_000, 30_000, 90_000];
/** So long one may keep the browser busy before the page says so. */
const GPU_PATIENCE = 120_000;
/** As long as a browser's timers can wait. */
const EVER = 2 ** 31 - 1;

const byId = (id: string) => document.getElementById(id)!;

byId("not-started").remove();
// The worker starts while the language loads, and so does the look for a GPU.
const engine = new Engine();
const restoring = engine.run("restored", {});
let opened: Promise<{ readonly adapter: string }> | undefined;
const opening = openGpu(GPU_PATIENCE);
for (const begun of [restoring, opening]) begun.catch(() => undefined); // lookForGpu says it
let nameAdapter = () => say.lookingForWebGpu;
const languageEvents = { use: useLanguage, onUse: writeAgain };
const hasLanguage = await beginIn(preferredLanguage(), languageEvents);
if (!hasLanguage) await useLanguage("en");
if (language !== "en") void tellWorker(language);
offerLanguages(byId("language") as HTMLSelectElement, languageEvents);
byId("adapter").textContent = say.lookingForWebGpu;

const message = new MessageLine(byId("message"));
let hasGpu = false;
let videoPanel: Promise<VideoPanel> | undefined;
const tabs = new Tabs(document.querySelector<HTMLElement>("[role=tablist]")!, {
  onSelect: (index) => index === 2 && void openVideoPanel(),
});
const upscalePanel = new UpscalePanel(byId("panel-upscale"), engine, {
  onPicture(picture) {
    const { name, depth, format } = picture;
    const bits = depth === 16 ? `, ${say.sixteenBits}` : "";
    byId("picture-name").textContent = `${name}, ${dimensions(picture)}${bits}`;
    byId("picture-name").title = format;
    trainPanel.setPicture(picture);
  },
  onChoice,
  onRemoveMethod,
  onError: complain,
});
const ownNetworks = new OwnNetworks(byId("own-networks"), engine, {
  onChange: () => offerMethods(),
  onUse: enlargeWith,
  onError: complain,
});
const trainPanel = new TrainPanel(byId("panel-train"), engine, ownNetworks, { onUse: enlargeWith });
const chooser = new PictureChooser(byId("chooser"), {
  onChoice,
  onFiles: (files, isSample) => upscalePanel.add(files, isSample),
  async onWeights(file) {
    try {
      await findGpu(); // a network is read on the device
      const { id } = await ownNetworks.add(file.name, await readBytes(file));
      await offerMethods(id);
    } catch (error) {
      complain(error as Error);
    }
  },
  async onVideo(file) {
    tabs.select(2);
    await (await openVideoPanel())?.open(file);
  },
  onError: complain,
});

// The browser then asks whether the page may really be left.
window.addEventListener("beforeunload", (event) => {
  if (TaskControl.anyRunning || !ownNetworks.areKept) event.preventDefault();
});

const looking = lookForGpu(opening);
// A GPU that keeps the page waiting does not keep it from interpolating.
soon(looking.then(() => true))
  .then((isOver) => (isOver ? undefined : offerMethods()))
  .catch(() => undefined); // said below
restoring.then(({ wasLate }) => (wasLate ? offerMethods() : undefined)).catch(() => undefined); // said there
await chooser.chooseSample(0);
if (hasLanguage === false) complain(new Error(say.partNotLoaded));
soon(looking)
  .then(() => workOffline(() => engine.run("loadedFiles", {})))
  .catch(() => undefined); // said below
await looking;

/** Nothing else asks for a GPU: the question may stop the worker. @returns undefined if it is busy for so long */
async function openGpu(patience = EVER): Promise<{ readonly adapter: string } | undefined> {
  if (navigator.gpu && !(await soon(gpuAnswers(), patience))) return undefined;
  opened ??= engine.run("open", {}).catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** For what cannot begin without a GPU. @throws Error with what to say if there is none, or none soon */
async function findGpu(): Promise<void> {
  await soon(looking);
  if (hasGpu) return;
  const gpu = await openGpu(PATIENCE).catch((error: Error) => {
    throw error.name === "WorkerError" ? error : new Error(`${say.noWebGpu}.`);
  });
  if (!gpu) throw new Error(say.gpuBusy);
  showGpu(gpu.adapter);
  await offerMethods();
}

/**
 * Shows the GPU, or that it is busy, or that there is none. Then it is waited for, or others are looked for by and by:
 * it may only have been busy.
 */
async function lookForGpu(opening: ReturnType<typeof openGpu>, [pause, ...more] = GPU_PAUSES): Promise<void> {
  try {
    const gpu = await opening;
    if (gpu) showGpu(gpu.adapter);
    else {
      lookForGpu(openGpu()).catch(complain);
      showNoGpu(() => say.gpuBusy);
    }
  } catch (error) {
    if ((error as Error).name === "WorkerError") {
      showAdapter(() => say.notLoaded);
      complain(error as Error);
      return;
    }
    if (navigator.gpu && pause) setTimeout(() => lookForGpu(openGpu(), more).catch(complain), pause);
    if (!byId("no-webgpu").hidden) return; // it is said
    byId("no-webgpu").hidden = false;
    showNoGpu(
      () => say.noWebGpuShort,
      () => say.trainingNeedsWebGpu,
    );
  }
  await offerMethods();
}

function showGpu(adapter: string): void {
  if (hasGpu) return;
  const software = isSoftware(adapter);
  showAdapter(() => (software ? say.software(adapter) : adapter));
  byId("no-webgpu").hidden = true;
  hasGpu = true;
  upscalePanel.setGpu({ isSoftware: software });
  trainPanel.setGpu({ isSoftware: software });
}

function showNoGpu(why: () => string, whyNoTraining = why): void {
  showAdapter(why);
  trainPanel.setGpu(undefined, whyNoTraining);
}

/** Without a GPU, only interpolations remain. */
async function offerMethods(selected?: string): Promise<void> {
  const methods = await usableMethods();
  upscalePanel.setMethods(methods, selected);
  trainPanel.setMethods(methods);
  ownNetworks.setMethods(methods);
  (await videoPanel)?.setMethods(methods);
}

async function usableMethods(): Promise<readonly MethodInfo[]> {
  const all = await engine.run("methods", {});
  return hasGpu ? all : all.filter(({ kind }) => kind === "interpolation");
}

/** Loads the tab for video when it is first opened. After a failure, the next click tries again. */
async function openVideoPanel(): Promise<VideoPanel | undefined> {
  videoPanel ??= import("./video/video-panel.ts").then(async ({ VideoPanel }) => {
    const panel = await VideoPanel.in(byId("panel-video"), engine, { onRemoveMethod, onError: complain });
    panel.setMethods(await usableMethods());
    return panel;
  });
  try {
    return await videoPanel;
  } catch {
    videoPanel = undefined;
    complain(new Error(say.partNotLoaded));
    return undefined;
  }
}

/** What was said of an earlier choice is over. Only here: its picture may come after a message about this one. */
function onChoice(): void {
  message.clear();
}

function onRemoveMethod(method: MethodInfo): void {
  ownNetworks.remove(method).catch(complain);
}

async function enlargeWith({ id }: MethodInfo): Promise<void> {
  await offerMethods(id);
  tabs.select(0);
  tabs.focus(); // the button that had the focus is gone
}

/** `name`: what it is called in the page's language. */
function showAdapter(name: () => string): void {
  nameAdapter = name;
  byId("adapter").textContent = byId("adapter").title = name();
}

/** Where it is seen whatever tab is open. */
function complain(error: Error): void {
  message.show(error.message);
}

function tellWorker(code: LanguageCode): Promise<unknown> {
  return engine.run("language", { code }).catch(complain);
}

/** What the script has written, in the language that has been chosen. */
async function writeAgain(code: LanguageCode): Promise<void> {
  (byId("language") as HTMLSelectElement).value = code;
  showAdapter(nameAdapter);
  chooser.nameSamples();
  upscalePanel.writeAgain();
  trainPanel.writeAgain();
  (await videoPanel)?.writeAgain();
  await tellWorker(code);
  await offerMethods();
}
