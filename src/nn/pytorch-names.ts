/** What PyTorch's modules and optimizers have and these do not: sentences for programs in JavaScript. */
import type { Sentences } from "../options/foreign-names.ts";

const nothingToReset = "There is nothing to reset, for backward(loss) returns new gradients: leave it out.";
const onDevices =
  "A network is built on the device of init(), or on another one in onDevice(device, () => …). Leave it out; await " +
  "model.to(device) moves it to another device that openDevice() has opened.";

export const moduleSentences: Sentences = {
  add_module: "Write this.name = module.",
  apply:
    "Write a loop, for (const [name, tensor] of model.namedTensors()) …, or call a function of your own.",
  buffers: "Write [...model.namedTensors().values()].filter((tensor) => !tensor.requiresGrad).",
  cpu: onDevices,
  children: "Its parts are its properties; console.log(model) prints them as a tree.",
  cuda: onDevices,
  float: "Weights are float32 unless model.half() was called: leave it out.",
  forward: "A class of your own needs the method forward, which computes what it makes of a tensor.",
  load_state_dict: "Write model.loadStateDict(state); loadWeights(model, bytes, path) reads a file.",
  modules: "Its parts are its properties; console.log(model) prints them as a tree.",
  namedParameters: "Write model.namedTensors(), a Map.",
  named_parameters: "Write model.namedTensors(), a Map.",
  register_buffer: "Write this.name = tensor.",
  register_parameter: "Write this.name = tensor, with the option { requiresGrad: true }.",
  requires_grad_: "Write for (const p of model.parameters()) p.requiresGrad = false.",
  state_dict: "Write await model.stateDict(); await saveWeights(model) makes a file's bytes.",
  zeroGrad: nothingToReset,
  zero_grad: nothingToReset,
};

export const optimizerSentences: Sentences = {
  load_state_dict:
    "Write optimizer.loadStateDict(state); loadCheckpoint({ model, optimizer }, bytes) reads a file.",
  state_dict:
    "Write await optimizer.stateDict(); await saveCheckpoint({ model, optimizer }) makes a file's bytes.",
  zeroGrad: nothingToReset,
  zero_grad: nothingToReset,
};
