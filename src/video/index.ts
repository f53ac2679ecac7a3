/** Video: y4m from and to streams (in Node), and the enlarging of its frames. */
export { type Frame, planeSizes, type VideoFormat } from "./format.ts";
export { FrameUpscaler } from "./frames.ts";
export { headerOf, parseHeader, Y4mReader, Y4mWriter } from "./y4m.ts";
