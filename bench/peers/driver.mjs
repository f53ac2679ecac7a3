/** Leaves the libraries a single Vulkan driver to find: some of them offer no choice. */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { openDevice } from "../../dist/node.js";

/** Environment variables for processes that are to see this adapter alone. */
export async function environmentFor(adapter) {
  if (adapter === "gpu") return process.env;
  const driver = adapter === "lavapipe" ? lavapipe() : await swiftshader();
  return {
    ...process.env,
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver, // the same, for older Vulkan loaders
    VK_ADD_DRIVER_FILES: "",
    // SwiftShader's npm package includes a Vulkan loader, for systems without one.
    LD_LIBRARY_PATH: [dirname(driver), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
  };
}

const fixedByUser = () => process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;

function lavapipe() {
  if (fixedByUser()) return fixedByUser();
  for (const root of ["/etc", "/usr/local/etc", "/usr/local/share", "/usr/share"]) {
    const folder = join(root, "vulkan", "icd.d");
    const file = existsSync(folder) && readdirSync(folder).find((name) => /^lvp_icd.*\.json$/.test(name));
    if (file) return join(folder, file);
  }
  throw new Error(
    "The usual folders have no manifest of lavapipe (lvp_icd*.json). Install Mesa's Vulkan drivers " +
      '("apt-get install mesa-vulkan-drivers" or the like), or set VK_ICD_FILENAMES to the manifest.',
  );
}

/** Pixelgrad unpacks SwiftShader and sets an environment variable to its place. */
async function swiftshader() {
  const device = await openDevice({ adapter: "swiftshader" });
  device.destroy();
  return process.env.VK_ADD_DRIVER_FILES || fixedByUser();
}
