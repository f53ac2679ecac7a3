/** ONNX Runtime: inference alone, layout [n, c, h, w]. Its sessions have input and output on the CPU. */
import { availableParallelism } from "node:os";
import { onnxModel } from "../onnx-model.mjs";

/** Variants: "node-webgpu" (with a Dawn of its own in the binary), "node-cpu", "web-wasm". */
export async function prepare(workload, { variant }) {
  const model = onnxModel(workload);
  if (!model) return { unsupported: "it computes no gradients" };
  const web = variant === "web-wasm";
  const module = await import(web ? "onnxruntime-web" : "onnxruntime-node");
  const ort = module.InferenceSession ? module : module.default;
  if (web) ort.env.wasm.numThreads = availableParallelism();
  const provider = { "node-webgpu": "webgpu", "node-cpu": "cpu", "web-wasm": "wasm" }[variant];
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
  });
  const { x } = workload.data();
  const input = new ort.Tensor("float32", x.data, x.shape);
  return {
    async step(read) {
      const { y } = await session.run({ x: input });
      return read ? y.data : undefined;
    },
  };
}
