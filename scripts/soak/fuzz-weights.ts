import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("weights", "Weight files, made into networks");
