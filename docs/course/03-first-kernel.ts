import { type GpuDevice, init, tensor, zeros } from "pixelgrad";
import { kernel, linearGrid } from "pixelgrad/kernel";

const program = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x]; }
}`;

// WebGPU itself. init() has looked for an adapter; `gpu` is WebGPU's own device.
const device = (await init()) as GpuDevice;
const { gpu } = device;
const numbers = Float32Array.from({ length: 1000 }, (_, i) => i);
const { byteLength: size } = numbers;

// 1. Memory of the GPU: buffers. JavaScript cannot see into them.
const [STORAGE, COPY_DST, COPY_SRC, MAP_READ] = [0x80, 0x8, 0x4, 0x1];
const x = gpu.createBuffer({ size, usage: STORAGE | COPY_DST });
const y = gpu.createBuffer({ size, usage: STORAGE | COPY_SRC });
const answer = gpu.createBuffer({ size, usage: MAP_READ | COPY_DST });
gpu.queue.writeBuffer(x, 0, numbers);

// 2. The program, compiled, and which buffers it gets.
const module = gpu.createShaderModule({ code: program });
const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module } });
const bindGroup = gpu.createBindGroup({
  layout: pipeline.getBindGroupLayout(0),
  entries: [x, y].map((buffer, binding) => ({ binding, resource: { buffer } })),
});

// 3. Commands are recorded first, and handed over together.
const commands = gpu.createCommandEncoder();
const pass = commands.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, bindGroup);
const workgroups = Math.ceil(numbers.length / 64);
pass.dispatchWorkgroups(workgroups);
pass.end();
commands.copyBufferToBuffer(y, 0, answer, 0, size);
gpu.queue.submit([commands.finish()]);

// 4. Only here does JavaScript wait.
await answer.mapAsync(MAP_READ);
const squares = new Float32Array(answer.getMappedRange());
console.log(
  `${workgroups} workgroups of 64 threads: ${workgroups * 64} threads for ${numbers.length} numbers`,
);
console.log(`squares: ${squares.slice(0, 6).join(" ")} … ${squares[999]}`);

// The same launch by pixelgrad, which keeps buffers, compiled programs and bindings for the next time.
const [input, output] = [tensor(numbers), zeros([1000])];
device.run(kernel("square", program), {
  buffers: { x: input.gpuStorage, y: output.gpuStorage },
  grid: linearGrid(numbers.length, 64),
});
const same = (await output.data()).every((value, i) => value === squares[i]);
console.log(`pixelgrad's launch gives the same: ${same}`);
