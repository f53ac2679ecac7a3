/** The weight files that training leaves in a run folder, for use. */

/** The weights of the best evaluation. */
export const bestFile = "best.safetensors";
/** Those of the last evaluation, or of the end. */
export const lastFile = "last.safetensors";
/** What users take from a run. */
export const resultFiles: readonly string[] = [lastFile, bestFile];
