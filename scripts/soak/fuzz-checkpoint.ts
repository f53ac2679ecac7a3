import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("checkpoint", "Checkpoints");
