/** Whether an adapter is a program that does a graphics card's work, by its name: many times slower. */
export function isSoftware(adapter: string): boolean {
  return /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(adapter);
}
