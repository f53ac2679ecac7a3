export { type CheckpointParts, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export { parsePytorch } from "./pytorch-file.ts";
export { type PytorchFileOptions, serializePytorch } from "./pytorch-writer.ts";
export { parseSafetensors, type SafetensorsOptions, serializeSafetensors } from "./safetensors.ts";
export { loadWeights, parseWeights, saveWeights, type WeightFile } from "./weight-file.ts";
