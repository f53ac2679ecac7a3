import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * A Python with torch, onnx, onnxruntime, safetensors and numpy: PIXELGRAD_TEST_PYTHON names it. Tests that need
 * one are skipped without it, with a printed reason.
 */
export const python: string | undefined = process.env.PIXELGRAD_TEST_PYTHON;
if (python === undefined) {
  console.warn(
    "Tests against PyTorch and ONNX Runtime are skipped: set PIXELGRAD_TEST_PYTHON to a Python with them.",
  );
}

/** Runs a script of test/support/python, or one by its path from the root, and returns what it prints. */
export function runPython(script: string, args: readonly string[]): string {
  const path = fileURLToPath(
    new URL(script.includes("/") ? `../../${script}` : `python/${script}`, import.meta.url),
  );
  const { status, stdout, stderr } = spawnSync(python!, [path, ...args], {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`);
  return stdout;
}
