import { whole } from "../options/kinds.ts";

/** What a layer's sizes may be: with more than these, even one kernel would fill every device. */
export const layerSize = whole(1, 2 ** 24);
