/** WebGPU's types for entries of the package, which name this file so that programs that import them have the types. */
declare global {
  // The WebGPU types that declarations of this package mention. TypeScript 7 and @webgpu/types say much more
  // about them, and declarations of an interface add up; without either, the package still compiles.
  interface GPU {}
  interface GPUAdapter {}
  interface GPUAdapterInfo {}
  interface GPUBindGroup {}
  interface GPUBindGroupLayout {}
  interface GPUBuffer {}
  interface GPUCommandEncoder {}
  interface GPUComputePassTimestampWrites {}
  interface GPUComputePipeline {}
  interface GPUDevice {}
  // The DOM's, for programs compiled without it.
  interface HTMLCanvasElement {}
  interface HTMLImageElement {}
  interface HTMLVideoElement {}
  interface ImageBitmap {}
  interface ImageData {}
  interface OffscreenCanvas {}
  interface SVGImageElement {}
  interface VideoFrame {}
}

export {};
