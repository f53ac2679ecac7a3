import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("configuration", "Configurations of training");
