/** What is read from an adapter: its class, its name and what kernels may count on. */
import { expect, test } from "vitest";
import { cpuProfile, facts, identify } from "../../src/device/profile.ts";

const adapter = (info: Partial<GPUAdapterInfo>) => ({
  info: { vendor: "", architecture: "", device: "", description: "", ...info } as GPUAdapterInfo,
});
const device = (features = ["subgroups"]) => ({
  features: new Set(features) as GPUSupportedFeatures,
  limits: { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 } as GPUSupportedLimits,
});

test.each([
  [
    { vendor: "mesa", architecture: "llvmpipe", device: "", description: "llvmpipe (LLVM 19.1, 256 bits)" },
    { adapterClass: "lavapipe", name: "llvmpipe (LLVM 19.1, 256 bits)" },
  ],
  [
    { vendor: "google", architecture: "swiftshader", device: "SwiftShader Device (LLVM 10)" },
    { adapterClass: "swiftshader", name: "SwiftShader Device (LLVM 10)" },
  ],
  [
    { vendor: "nvidia", architecture: "ampere", device: "NVIDIA RTX A2000", description: "NVIDIA: 550.1" },
    { adapterClass: "nvidia", name: "NVIDIA RTX A2000, NVIDIA: 550.1" },
  ],
  [
    { vendor: "amd", architecture: "rdna-3", device: "", description: "AMD Radeon RX 7900 XTX" },
    { adapterClass: "amd", name: "AMD Radeon RX 7900 XTX" },
  ],
  [
    { vendor: "intel", architecture: "xe-2hpg" },
    { adapterClass: "intel", name: "intel xe-2hpg" },
  ],
  [
    { vendor: "apple", architecture: "metal-3" },
    { adapterClass: "apple", name: "apple metal-3" },
  ],
  [
    { vendor: "qualcomm", architecture: "adreno-7xx" },
    { adapterClass: "gpu", name: "qualcomm adreno-7xx" },
  ],
  [{}, { adapterClass: "gpu", name: "GPU" }],
])("%o", (info, want) => {
  expect(identify(adapter(info), device())).toMatchObject(want);
});

test("subgroups count only if they are offered and have one size; a tensor is what can be bound", () => {
  const of = (subgroupMinSize: number, subgroupMaxSize: number, features?: string[]) =>
    identify(adapter({ subgroupMinSize, subgroupMaxSize }), device(features)).profile;
  expect(of(32, 32).subgroupSize).toBe(32);
  expect(of(8, 32).subgroupSize).toBe(0);
  expect(of(32, 32, []).subgroupSize).toBe(0);
  expect(of(32, 32).maxTensorBytes).toBe(2 ** 27);
});

test("where subgroups have several sizes, kernels ask for the one that the device can fix", () => {
  const of = (fixable?: number, features?: string[]) =>
    identify(adapter({ subgroupMinSize: 32, subgroupMaxSize: 64 }), device(features), fixable);
  expect(of(32)).toMatchObject({ fixesSubgroups: true, profile: { subgroupSize: 32 } });
  expect(of()).toMatchObject({ fixesSubgroups: false, profile: { subgroupSize: 0 } });
  expect(of(32, [])).toMatchObject({ fixesSubgroups: false, profile: { subgroupSize: 0 } });
  const one = identify(adapter({ subgroupMinSize: 32, subgroupMaxSize: 32 }), device());
  expect(one).toMatchObject({ fixesSubgroups: false, profile: { subgroupSize: 32 } });
});

test("facts differ where machines do", () => {
  const { gpu, lavapipe, swiftshader } = facts;
  expect(gpu).toMatchObject({ sharesLoads: true, cheapBarriers: true, reference: false });
  expect(lavapipe).toMatchObject({ sharesLoads: false, cheapBarriers: false, costlyLoops: false });
  expect(swiftshader).toEqual({ ...lavapipe, shuffles: false, costlyLoops: true });
  expect(cpuProfile).toMatchObject({ reference: true, maxTensorBytes: 2 ** 32 });
});
