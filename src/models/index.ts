export { DIV2K_RGB_MEAN, EDSR, type EDSROptions } from "./edsr.ts";
