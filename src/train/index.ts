/// <reference lib="esnext.disposable" preserve="true" />
/** Training of super-resolution networks: the loop, its log, evaluations and checkpoints. Node only. */
export {
  type Checkpoint,
  type CheckpointState,
  type Lengths,
  type PictureNames,
  readCheckpoint,
} from "./checkpoint.ts";
export {
  type ArchitectureName,
  type NetworkConfig,
  presets,
  presetsOf,
  type TrainConfig,
} from "./config.ts";
export { DivergedError, type TrainCallbacks, type TrainStatus } from "./journal.ts";
export { checkConfig } from "./settings.ts";
export { type OnLoss, onLossChoices } from "./survive-loss.ts";
export { type ResumeOptions, resume, type TrainOptions, type TrainResult, train } from "./trainer.ts";
