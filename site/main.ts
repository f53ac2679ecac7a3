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
import { type LanguageCode, language, say, useLanguage } from "./language.ts";
import { offerLanguages, preferredLanguage } from "./languages.ts";
import { MessageLine } from "./message-line.ts";
import type { MethodInfo } from "./messages.ts";
import { workOffline } from "./offline.ts";
import { OwnNetworks } from "./own-networks.ts";
import { PictureChooser } from "./picture-chooser.ts";
import { readBytes } from "./read-bytes.ts";
import { dimensions } from "./size.ts";
import { Tabs } from "./tabs.ts";
import { TaskControl } from "./task-control.ts";
import { TrainPanel } from "./train-panel.ts";
import { UpscalePanel } from "./upscale-panel.ts";
import type { VideoPanel } from "./video/video-panel.ts";

const byId = (id: string) => document.getElementById(id)!;

byId("not-started").remove();
// The worker starts while the language loads.
const engine = new Engine();
const opening = engine.run("open", {});
opening.catch(() => undefined); // openGpu says it
const hasLanguage = await useLanguage(preferredLanguage()).catch(() => false);
if (!hasLanguage) await useLanguage("en");
if (language !== "en") void tellWorker(language);
offerLanguages(byId("language") as HTMLSelectElement, { use: useLanguage, onUse: writeAgain });
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

let nameAdapter = () => say.lookingForWebGpu;
await Promise.all([chooser.chooseSample(0), openGpu()]);
if (!hasLanguage) complain(new Error(say.partNotLoaded));
void workOffline(() => engine.run("loadedFiles", {}));

async function openGpu(): Promise<void> {
  try {
    const { adapter } = await opening;
    const software = isSoftware(adapter);
    showAdapter(() => (software ? say.software(adapter) : adapter));
    hasGpu = true;
    upscalePanel.setGpu({ isSoftware: software });
    trainPanel.setGpu({ isSoftware: software });
  } catch (error) {
    if ((error as Error).name === "WorkerError") {
      showAdapter(() => say.notLoaded);
      complain(error as Error);
      return;
    }
    showAdapter(() => say.noWebGpuShort);
    byId("no-webgpu").hidden = false;
    trainPanel.setGpu(undefined);
  }
  await offerMethods();
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
  showAdapter(nameAdapter);
  chooser.nameSamples();
  upscalePanel.writeAgain();
  (await videoPanel)?.writeAgain();
  await tellWorker(code);
  await offerMethods();
}
