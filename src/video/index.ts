/** Video: reads and writes y4m streams (in Node), and enlarges frames. */
export { type Frame, planeSizes, type VideoFormat } from "./format.ts";
export { FrameUpscaler } from "./frames.ts";
export { headerOf, parseHeader, Y4mReader, Y4mWriter } from "./y4m.ts";
