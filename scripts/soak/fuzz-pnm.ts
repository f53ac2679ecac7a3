import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("pnm", "PPM pictures and their kin");
