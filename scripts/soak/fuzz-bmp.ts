import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("bmp", "BMP pictures");
