import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("safetensors", "Weight files, parsed");
