/** What `pixelgrad` has in Node alone is typed there, too. */
import { adaptersPresent, GpuDevice, init, measureCeilings } from "pixelgrad";

const device = await init();
if (!(device instanceof GpuDevice) || (await adaptersPresent()).length === 0) {
  throw new Error("There is no adapter.");
}
if (typeof measureCeilings !== "function") throw new Error("Node's exports are incomplete.");
