import { Fuzzer } from "../../../test/support/fuzz/fuzz.ts";
import { targets } from "../../../test/support/fuzz/targets.ts";
import type { Soak } from "./soak.ts";

/** The module that fuzzes one of the parsers. Its inputs depend on all tries before: give --seed, not --from. */
export function fuzz(name: string, what: string): Soak {
  return {
    what: `${what} with random changes, guided by coverage`,
    tries: 200_000,
    async run(soak) {
      const target = targets.find((one) => one.name === name)!;
      const fuzzer = await Fuzzer.start(target);
      for (const { index, random } of soak.tries()) {
        await soak.attempt(`input ${index}`, () => fuzzer.step(random));
      }
      await fuzzer.stop();
      return {
        accepted: fuzzer.accepted,
        "inputs that reached new code": fuzzer.corpus,
        slowest: `${fuzzer.slowest.toFixed(0)} ms`,
        "largest process": `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
      };
    },
  };
}
