/**
 * Watches every index by which kernels reach into buffers and workgroup memory. WebGPU hides a wrong one: it
 * clamps the index or reads 0. Without its bounds checks (Dawn's switch "no-bounds-checks"), a wrong index would
 * meet other memory.
 */
import type { GpuDevice } from "../../src/device/gpu-device.ts";

/** A binding that no kernel has. */
const BINDING = 15;
const [COPY_SRC, COPY_DST, STORAGE, MAP_READ] = [0x04, 0x08, 0x80, 0x01];

export interface IndexWatch {
  /** How many arrays of how many kernels are watched. */
  readonly watched: ReadonlyMap<string, number>;
  /** Kernels with as many buffers as a device binds by default, so that none is left to report with. */
  readonly full: ReadonlySet<string>;
  /** Where indices were out of bounds since the last call: "kernel: array". */
  outside(): Promise<string[]>;
}

/** From now on, in every kernel that the device compiles. Call it on a device that has compiled none. */
export function watchIndices({ gpu }: GpuDevice): IndexWatch {
  const watched = new Map<string, number>();
  const full = new Set<string>();
  /** Layouts of full kernels; and whether the last one was such, whose shader comes next. */
  const fullLayouts = new WeakSet<GPUBindGroupLayout>();
  let isFull = false;
  /** By compiled source, of which each has an element of `found`, with a bit for each array. */
  const places: string[][] = [];
  const size = 4 * 4096;
  const found = gpu.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });

  const { createShaderModule, createBindGroupLayout, createBindGroup } = gpu;
  gpu.createShaderModule = (descriptor) => {
    const label = descriptor.label ?? "kernel";
    if (isFull) {
      full.add(label);
      return createShaderModule.call(gpu, descriptor);
    }
    const { code, arrays } = withChecks(descriptor.code, places.length);
    places.push(arrays.map((array) => `${label}: ${array}`));
    watched.set(label, arrays.length);
    return createShaderModule.call(gpu, { ...descriptor, code });
  };
  gpu.createBindGroupLayout = (descriptor) => {
    const entry = { binding: BINDING, visibility: 4, buffer: { type: "storage" } } as const;
    const entries = [...descriptor.entries];
    const buffers = entries.filter(({ buffer }) => buffer?.type !== "uniform").length;
    isFull = buffers >= gpu.limits.maxStorageBuffersPerShaderStage;
    if (!isFull) return createBindGroupLayout.call(gpu, { ...descriptor, entries: [...entries, entry] });
    const layout = createBindGroupLayout.call(gpu, descriptor);
    fullLayouts.add(layout);
    return layout;
  };
  gpu.createBindGroup = (descriptor) => {
    if (fullLayouts.has(descriptor.layout)) return createBindGroup.call(gpu, descriptor);
    const entry = { binding: BINDING, resource: { buffer: found } };
    return createBindGroup.call(gpu, { ...descriptor, entries: [...descriptor.entries, entry] });
  };
  return {
    watched,
    full,
    async outside() {
      const staging = gpu.createBuffer({ size, usage: MAP_READ | COPY_DST });
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(found, 0, staging, 0, size);
      encoder.clearBuffer(found);
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      const masks = new Uint32Array(staging.getMappedRange()).slice();
      staging.destroy();
      return places.flatMap((arrays, i) => arrays.filter((_, bit) => masks[i] & (1 << bit)));
    },
  };
}

/**
 * The WGSL with each index into an array with a name of its own replaced by a checked one. A thread collects
 * what it finds, and reports at its end: a branch at each index would take minutes to compile where loops are
 * written out.
 */
function withChecks(source: string, place: number): { code: string; arrays: string[] } {
  const code = source.replace(/\/\/.*$/gm, "");
  const bounds = new Map<string, string>();
  for (const [, name] of code.matchAll(/var<storage[^>]*>\s*(\w+)\s*:\s*array</g)) {
    bounds.set(name, `arrayLength(&${name})`);
  }
  for (const [, name, count] of code.matchAll(/var<workgroup>\s*(\w+)\s*:\s*array<\w+,\s*([^;]*)>;/g)) {
    bounds.set(name, `u32(${count})`);
  }
  const arrays = [...bounds.keys()];
  const checked = (text: string): string => {
    let out = "";
    let at = 0;
    for (const match of text.matchAll(/(?<![\w.&])(\w+)\[/g)) {
      const bound = bounds.get(match[1]);
      if (bound === undefined || match.index < at) continue;
      const start = match.index + match[0].length;
      const end = closingBracket(text, start);
      const bit = `${2 ** arrays.indexOf(match[1])}u`;
      out += `${text.slice(at, start)}index_within(u32(${checked(text.slice(start, end))}), ${bound}, ${bit})`;
      at = end;
    }
    return out + text.slice(at);
  };
  const helpers = `
@group(0) @binding(${BINDING}) var<storage, read_write> indices_outside: array<atomic<u32>>;
var<private> outside: u32;
fn index_within(i: u32, bound: u32, bit: u32) -> u32 {
  outside |= select(0u, bit, i >= bound);
  return i;
}
fn report_outside() {
  if (outside != 0u) { atomicOr(&indices_outside[${place}], outside); }
}
`;
  // Directives such as "enable subgroups;" come first, and main is the last function.
  const directives = /^(?:\s*enable [^;]*;)*/.exec(code)![0];
  const body = checked(code.slice(directives.length))
    .replaceAll(/\breturn;/g, "report_outside(); return;")
    .replace(/\}\s*$/, "report_outside(); }\n");
  return { code: directives + helpers + body, arrays };
}

function closingBracket(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "[") depth++;
    if (text[i] === "]" && --depth === 0) return i;
  }
  throw new Error(`no "]" after: ${text.slice(start, start + 80)}`);
}
