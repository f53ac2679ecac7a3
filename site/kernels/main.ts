/** The page: two lessons, and a worker that computes for both. */
import { Tabs } from "../tabs.ts";
import { find } from "./dom.ts";
import { Engine } from "./engine.ts";
import { LadderPanel } from "./ladder-panel.ts";
import { layerOf } from "./layers.ts";
import { TrainingPanel } from "./training-panel.ts";

const engine = new Engine();
const ladder = new LadderPanel(engine);
const training = new TrainingPanel(engine);
ladder.onStart = () => training.pause();

const list = find<HTMLElement>("[role=tablist]");
const tabs = new Tabs(list);
const trainingPanel = find<HTMLElement>("#panel-training");
const selected = () => {
  if (trainingPanel.hidden) training.pause();
  else training.show();
};
list.addEventListener("click", selected);
list.addEventListener("keydown", selected);

try {
  const { adapter, software } = await engine.run("open", {});
  find("#adapter").textContent = software ? `${adapter} (software: slow)` : adapter;
  await ladder.open(layerOf(software ? "tiny" : "middle"), true);
  training.enable();
  if (!software) await ladder.suggest();
} catch (error) {
  find("#adapter").textContent = "No WebGPU";
  find<HTMLElement>("#no-webgpu").hidden = false;
  find("#no-webgpu-reason").textContent = (error as Error).message;
  await ladder.open(layerOf("middle"), false);
}
if (location.hash === "#training") {
  tabs.select(1);
  selected();
}
