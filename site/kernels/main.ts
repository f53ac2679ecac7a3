/** The page: two lessons, and a worker that computes for both. */
import { offerLanguages, preferredLanguage } from "../languages.ts";
import { Tabs } from "../tabs.ts";
import { find } from "./dom.ts";
import { Engine } from "./engine.ts";
import { LadderPanel } from "./ladder-panel.ts";
import { say, useLanguage } from "./language.ts";
import { layerOf } from "./layers.ts";
import { TrainingPanel } from "./training-panel.ts";

// The worker starts while the language loads. If that does not load, the page can be read in English.
const engine = new Engine();
const opening = engine.run("open", {});
opening.catch(() => undefined); // said below
await useLanguage(preferredLanguage()).catch(() => undefined);

const ladder = new LadderPanel(engine);
const training = new TrainingPanel(engine);
ladder.onStart = () => training.pause();

let nameAdapter = () => say.lookingForWebGpu;
offerLanguages(find("#language"), {
  use: useLanguage,
  onUse() {
    find("#adapter").textContent = nameAdapter();
    ladder.writeAgain();
    training.writeAgain();
  },
});

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
  const { adapter, software } = await opening;
  showAdapter(() => (software ? say.software(adapter) : adapter));
  await ladder.open(layerOf(software ? "tiny" : "middle"), true);
  training.enable();
  if (!software) await ladder.suggest();
} catch (error) {
  showAdapter(() => say.noWebGpu);
  find<HTMLElement>("#no-webgpu").hidden = false;
  find("#no-webgpu-reason").textContent = (error as Error).message;
  await ladder.open(layerOf("middle"), false);
}
void ladder.openEditors();
if (location.hash === "#training") {
  tabs.select(1);
  selected();
}

/** `name`: what it is called in the page's language. */
function showAdapter(name: () => string): void {
  nameAdapter = name;
  find("#adapter").textContent = name();
}
