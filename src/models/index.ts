export { DIV2K_RGB_MEAN, EDSR, type EDSROptions } from "./edsr.ts";
export { SuperResolver } from "./super-resolver.ts";
