import { type Frame, parseHeader, planeSizes } from "../../src/video/index.ts";
import { noise } from "../data/support.ts";

export const format = (space: string, width = 8, height = 6, more = "") =>
  parseHeader(`YUV4MPEG2 W${width} H${height} F30000:1001 Ip A128:117 C${space}${more}`);

const plane = (width: number, height: number, seed = 1) => noise(width, height, 1, seed).data;
export const frameOf = (space: string, width = 8, height = 6): Frame =>
  planeSizes(format(space, width, height)).map((size, k) => plane(size.width, size.height, k + 1));
