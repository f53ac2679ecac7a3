export type { Kind } from "../options/kinds.ts";
export {
  type Architecture,
  type Assumption,
  completeOptions,
  type NetworkOptions,
  type Option,
  type OptionTable,
  type OptionValues,
  type Preset,
  type Recipe,
  type RecognizedNetwork,
  type ScheduleConfig,
} from "./architecture.ts";
export { Compact, type CompactOptions } from "./compact.ts";
export { DIV2K_RGB_MEAN, EDSR, type EDSROptions } from "./edsr.ts";
export { ESPCN, type ESPCNOptions } from "./espcn.ts";
export { FSRCNN, type FSRCNNOptions } from "./fsrcnn.ts";
export {
  architectureNames,
  architectureOf,
  architectures,
  buildNetwork,
  createModel,
  describeNetwork,
  type LoadModelOptions,
  loadModel,
  type NetworkFile,
  networkIn,
  readNetwork,
} from "./registry.ts";
export { RRDBNet, type RRDBNetOptions } from "./rrdbnet.ts";
export { SPAN, type SPANOptions } from "./span.ts";
export { SRCNN, type SRCNNOptions } from "./srcnn.ts";
export type { DetectOptions, State as WeightState } from "./state.ts";
export { SuperResolver, type TwoStages } from "./super-resolver.ts";
export { multiplyAddsPerPixel } from "./work.ts";
export { Wren, type WrenOptions } from "./wren.ts";
