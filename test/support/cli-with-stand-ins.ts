/** The command line with stand-ins for networks, from the folder that is the first argument. */
import { useStandIns } from "./stand-ins.ts";

useStandIns(process.argv[2]);
process.argv.splice(2, 1);
await import("../../src/cli/main.ts");
