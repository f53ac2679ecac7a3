/**
 * The page: puts its parts together. Read next:
 *
 *     upscale-panel.ts, train-panel.ts    the two tabs
 *     compare.ts, loss-plot.ts            what they show
 *     picture-chooser.ts                  where pictures come from
 *     engine.ts -> worker.ts              tasks, and where they run; messages.ts lists them
 *     methods.ts, fine-tune.ts            what the worker does with the library
 */
import "./style.css";
import { Engine } from "./engine.ts";
import type { MethodInfo } from "./messages.ts";
import { PictureChooser } from "./picture-chooser.ts";
import { Tabs } from "./tabs.ts";
import { TrainPanel } from "./train-panel.ts";
import { UpscalePanel } from "./upscale-panel.ts";

const byId = (id: string) => document.getElementById(id)!;

const engine = new Engine();
const tabs = new Tabs(document.querySelector<HTMLElement>("[role=tablist]")!);
const upscalePanel = new UpscalePanel(byId("panel-upscale"), engine, {
  onPicture(chosen) {
    const { name, width, height, depth, format } = chosen;
    const bits = depth === 16 ? ", 16 bits" : "";
    byId("picture-name").textContent = `${name}, ${width} × ${height}${bits}`;
    byId("picture-name").title = format;
    trainPanel.setPicture(chosen);
  },
  async onRemoveMethod({ id }) {
    await engine.run("removeWeights", { id });
    await offerMethods();
  },
});
const trainPanel = new TrainPanel(byId("panel-train"), engine, {
  onTuned: () => offerMethods(),
  async onUse({ id }: MethodInfo) {
    await offerMethods(id);
    tabs.select(0);
  },
});
const chooser = new PictureChooser(byId("chooser"), {
  onFiles: (files, isSample) => upscalePanel.add(files, isSample),
  async onWeights(file) {
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const { id } = await engine.run("addWeights", { name: file.name, bytes });
      await offerMethods(id);
    } catch (error) {
      upscalePanel.complain(error as Error);
    }
  },
  onError: (error) => upscalePanel.complain(error),
});

await Promise.all([chooser.chooseSample(0), openGpu()]);

/** Without a GPU, only interpolations remain. */
async function openGpu(): Promise<void> {
  try {
    const { adapter } = await engine.run("open", {});
    byId("adapter").textContent = adapter;
    trainPanel.setGpu(true);
    await offerMethods();
  } catch (error) {
    if ((error as Error).name === "WorkerError") {
      byId("adapter").textContent = "not loaded";
      upscalePanel.complain(error as Error);
      return;
    }
    byId("adapter").textContent = "no WebGPU";
    byId("no-webgpu-reason").textContent = (error as Error).message;
    byId("no-webgpu").hidden = false;
    trainPanel.setGpu(false);
    const methods = await engine.run("methods", {});
    upscalePanel.setMethods(methods.filter(({ kind }) => kind === "interpolation"));
  }
}

async function offerMethods(selected?: string): Promise<void> {
  const methods = await engine.run("methods", {});
  upscalePanel.setMethods(methods, selected);
  trainPanel.setMethods(methods);
}
