/** Devices opened, used and destroyed again and again. */
import { add, openDevice, scope, tensor } from "../../src/node.ts";
import { Growth } from "./support/growth.ts";
import type { Soak } from "./support/soak.ts";

export const soak: Soak = {
  what: "Devices opened and destroyed: threads, files and memory stay flat",
  tries: 200,
  async run(soak) {
    const growth = new Growth(10);
    for (const { index } of soak.tries()) {
      await soak.attempt(`device ${index}`, async () => {
        using _ = scope();
        const device = await openDevice({ adapter: soak.adapter });
        const x = tensor([1, 2], undefined, { device });
        const y = await add(x, x).data();
        if (y.join() !== "2,4") throw new Error(`1 + 1 and 2 + 2 are ${y}`);
        device.destroy();
      });
      growth.look();
    }
    return growth.check(soak, { threads: 8, files: 4, megabytes: 100 });
  },
};
