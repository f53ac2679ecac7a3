import { kernel } from "../../device/kernel.ts";

/**
 * y = x * scale where a random number of the element's own says so, else x * 0. No generator is stepped from
 * element to element: the numbers are a hash of the element's place and of a key, so that every thread makes
 * its own, and the gradient makes the same ones again.
 *
 * The hash is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", 2011): additions, rotations and exclusive ors of 32 bits alone. One call gives two numbers.
 */
export const dropoutKernel = kernel(
  "dropout",
  /* wgsl */ `
struct Params { size: u32, key0: u32, key1: u32, threshold: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let random = vec4u(threefry(2 * i), threefry(2 * i + 1));
  let stays = (random >> vec4u(8)) >= vec4u(p.threshold); // 24 bits, as Random.uniform() has
  y[i] = x[i] * select(vec4f(), vec4f(p.scale), stays);
}

fn threefry(counter: u32) -> vec2u {
  let keys = array(p.key0, p.key1, p.key0 ^ p.key1 ^ 0x1bd11bda);
  let rotations = array(vec4u(13, 15, 26, 6), vec4u(17, 29, 16, 24));
  var a = counter + keys[0];
  var b = keys[1];
  for (var group = 0u; group < 5; group++) { // four rounds, then a part of the key
    let by = rotations[group % 2];
    a += b; b = ((b << by.x) | (b >> (32 - by.x))) ^ a;
    a += b; b = ((b << by.y) | (b >> (32 - by.y))) ^ a;
    a += b; b = ((b << by.z) | (b >> (32 - by.z))) ^ a;
    a += b; b = ((b << by.w) | (b >> (32 - by.w))) ^ a;
    a += keys[(group + 1) % 3];
    b += keys[(group + 2) % 3] + group + 1;
  }
  return vec2u(a, b);
}
`,
);
