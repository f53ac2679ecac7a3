import { create } from "webgpu";
import type { GpuDevice } from "/tmp/wt/h16/src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "/tmp/wt/h16/src/device/open.ts";
import { facts } from "/tmp/wt/h16/src/device/profile.ts";
import { scope } from "/tmp/wt/h16/src/tensor/scope.ts";
import { edsr, trainingStep } from "/tmp/wt/h16/bench/networks.ts";
const which = process.argv[2] ?? "gpu";
const device = (await openDevice({ gpu: create(["backend=null"]) })) as GpuDevice;
device.profile = { ...device.profile, ...(facts as any)[which], ...(which==="gpu"?{subgroupSize: 32}:{}) };
setDefaultDevice(device);
for (const [b, c] of [[4, 16], [16, 64]]) {
  const { run } = trainingStep(edsr(b, c), 24, 4);
  { using _ = scope(); run(); }
  using _ = scope();
  const r = device.run.bind(device);
  const cp = device.copy.bind(device);
  const n = new Map<string, number>(); let all: string[] = [];
  const add=(k:string)=>{n.set(k,(n.get(k)??0)+1);all.push(k)};
  device.run = (k, l) => { add(k.name); r(k, l); };
  device.copy = (a, z) => { add("COPY "+a.length); cp(a, z); };
  run();
  device.run = r; device.copy = cp;
  console.log(b, c, all.length); for (const [k, v] of n) console.log("  ", v, k);
  if (process.argv[3] && b===4) console.log(all.join("\n"));
}
process.exit(0);
