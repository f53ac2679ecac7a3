import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("y4m", "Video streams");
