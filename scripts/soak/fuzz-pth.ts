import { fuzz } from "./support/fuzz.ts";

export const soak = fuzz("pth", "Weight files of PyTorch");
