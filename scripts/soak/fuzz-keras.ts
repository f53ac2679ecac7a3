import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("keras", "Networks of Keras");
