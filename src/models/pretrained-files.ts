/** Where the weights are that come with the library. */

/**
 * Each address is written out because bundlers look for exactly this expression: they copy the file beside
 * the bundle, and put its new address here.
 */
export const pretrainedFiles = {
  srcnn: {
    2: new URL("../../weights/srcnn-x2.safetensors", import.meta.url),
    3: new URL("../../weights/srcnn-x3.safetensors", import.meta.url),
    4: new URL("../../weights/srcnn-x4.safetensors", import.meta.url),
  },
  espcn: {
    2: new URL("../../weights/espcn-x2.safetensors", import.meta.url),
    3: new URL("../../weights/espcn-x3.safetensors", import.meta.url),
    4: new URL("../../weights/espcn-x4.safetensors", import.meta.url),
  },
  "edsr-small": {
    2: new URL("../../weights/edsr-small-x2.safetensors", import.meta.url),
    3: new URL("../../weights/edsr-small-x3.safetensors", import.meta.url),
    4: new URL("../../weights/edsr-small-x4.safetensors", import.meta.url),
  },
} as const;

export type PretrainedName = keyof typeof pretrainedFiles;
export const pretrainedNames = Object.keys(pretrainedFiles) as PretrainedName[];
/** Enlargements that every pretrained network exists for. */
export const pretrainedScales = [2, 3, 4] as const;
export type PretrainedScale = (typeof pretrainedScales)[number];
