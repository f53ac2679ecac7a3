/** The page: two lessons, and a worker that computes for both. */
import { beginIn, type LanguageCode, offerLanguages, preferredLanguage } from "../languages.ts";
import { Tabs } from "../tabs.ts";
import { find } from "./dom.ts";
import { Engine } from "./engine.ts";
import { LadderPanel } from "./ladder-panel.ts";
import { say, useLanguage } from "./language.ts";
import { layerOf } from "./layers.ts";
import { TrainingPanel } from "./training-panel.ts";

let nameAdapter = () => say.lookingForWebGpu;
const languageEvents = {
  use: useLanguage,
  onUse(code: LanguageCode) {
    languageList.value = code;
    find("#adapter").textContent = nameAdapter();
    ladder.writeAgain();
    training.writeAgain();
  },
};
const languageList = find<HTMLSelectElement>("#language");

// The worker starts while the language loads. If that does not load, the page can be read in English.
const engine = new Engine();
const opening = engine.run("open", {});
opening.catch(() => undefined); // said below
await beginIn(preferredLanguage(), languageEvents);

const ladder = new LadderPanel(engine);
const training = new TrainingPanel(engine);
ladder.onStart = () => training.pause();

offerLanguages(languageList, languageEvents);

const list = find<HTMLElement>("[role=tablist]");
const tabs = new Tabs(list);
const trainingPanel = find<HTMLElement>("#panel-training");
const selected = () => {
  if (trainingPanel.hidden) training.pause();
  else training.show();
};
list.addEventListener("click", selected);
list.addEventListener("keydown", selected);

const card = await opening.catch(sayWhyNot);
if (card) showAdapter(() => (card.software ? say.software(card.adapter) : card.adapter));
const layer = layerOf(card?.software ? "tiny" : "middle");
await ladder.open(layer, card !== undefined).catch((error) => ladder.complain(error));
if (card) training.enable();
// If the card cannot be measured, the choice stays.
if (card && !card.software) await ladder.suggest().catch(() => undefined);
void ladder.openEditors();
if (location.hash === "#training") {
  tabs.select(1);
  selected();
}

/** Without a card, the lesson can be read. */
function sayWhyNot(error: Error): undefined {
  if (error.name === "WorkerError") {
    showAdapter(() => say.notLoaded);
    ladder.complain(error);
    return;
  }
  showAdapter(() => say.noWebGpu);
  find<HTMLElement>("#no-webgpu").hidden = false;
  find("#no-webgpu-reason").textContent = error.message;
}

/** `name`: what it is called in the page's language. */
function showAdapter(name: () => string): void {
  nameAdapter = name;
  find("#adapter").textContent = name();
}
