import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("flags", "Command lines");
