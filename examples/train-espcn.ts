/**
 * Trains ESPCN, which enlarges by a pixel shuffle at its very end, and shows what it learned.
 *
 *     npm run train:espcn                                               on photographs that npm has installed: minutes
 *     npm run train:espcn -- --data T91 --valid Set5/HR                 on pictures of one's own, measured on others
 *     npm run train:espcn -- --help
 *
 * The configuration ("preset") is in src/train/config.ts, the loop that learns in src/train/trainer.ts, and the network
 * in src/models/espcn.ts; all are meant to be read.
 */
import { trainFromCommandLine } from "../src/train/index.ts";

await trainFromCommandLine("train:espcn", "ESPCN");
