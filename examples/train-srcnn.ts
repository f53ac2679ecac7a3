/**
 * Trains SRCNN, the first super-resolution network, and shows what it learned.
 *
 *     npm run train:srcnn                                               on photographs that npm has installed: minutes
 *     npm run train:srcnn -- --data T91 --valid Set5/HR                 on pictures of one's own, measured on others
 *     npm run train:srcnn -- --kernels 9-5-5 --residual no              the paper's best network
 *     npm run train:srcnn -- --help
 *
 * The configuration ("preset") is in src/train/config.ts, the loop that learns in src/train/trainer.ts, and the network
 * in src/models/srcnn.ts; all are meant to be read.
 */
import { trainFromCommandLine } from "../src/train/index.ts";

await trainFromCommandLine("train:srcnn", "SRCNN");
