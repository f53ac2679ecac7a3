import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("metadata", "What pictures say besides samples,");
