import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("ncnn", "Networks of ncnn");
