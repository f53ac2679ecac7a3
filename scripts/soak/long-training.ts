/** One long run of training. Its steps are the tries. */
import { join } from "node:path";
import { init } from "../../src/node.ts";
import { presets, train } from "../../src/train/index.ts";
import { picturesIn } from "../../test/support/pictures.ts";
import { Growth } from "./support/growth.ts";
import type { Soak } from "./support/soak.ts";

const REPORT = 100;

export const soak: Soak = {
  what: "Steps of one training run: memory, threads, files and tensors stay flat",
  tries: 20_000,
  async run(soak) {
    const device = await init();
    const growth = new Growth(10);
    const data = await picturesIn(join(soak.folder, "pictures"), 4);
    const stop = new AbortController();
    const tries = soak.tries();
    let step = 0;
    let live: number | undefined;
    const config = {
      ...presets.ESPCN.quick,
      network: { ...presets.ESPCN.quick.network, scale: 2 as const, filters: [4, 4] as const },
      data: [data],
      patch: 8,
      batch: 2,
      warmup: 0,
      validPictures: 1,
      // By time alone there is no last step.
      steps: Number.isFinite(soak.limits.tries) ? soak.limits.tries : 10_000_000,
      evalEvery: 1000,
      logEvery: REPORT,
      out: join(soak.folder, "run"),
    };
    await soak.attempt("the run", async () => {
      await train(config, {
        device,
        signal: stop.signal,
        onProgress(status) {
          for (; step < status.step; step++) {
            if (tries.next().done) stop.abort();
          }
          if (step % REPORT > 0) return;
          growth.look();
          const now = device.memory().live;
          live ??= now;
          if (now > live) soak.fail(`step ${step}: ${now} tensors, at first ${live}`);
        },
      }).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    });
    return { ...growth.check(soak, { threads: 8, files: 4, megabytes: 100 }), tensors: live ?? 0 };
  },
};
