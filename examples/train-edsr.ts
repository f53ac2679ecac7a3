/**
 * Trains an EDSR super-resolution network and shows what it learned.
 *
 *     npm run train:edsr                                            on photographs that npm has installed: minutes
 *     npm run train:edsr -- --preset edsr-paper --data DIV2K        the paper's baseline: a GPU and days
 *     npm run train:edsr -- --resume runs/edsr-x2-4x16              goes on where that training stopped
 *     npm run train:edsr -- --help
 *
 * The configurations ("presets") are in src/train/config.ts, and the loop that learns in src/train/trainer.ts; both
 * are meant to be read. In a program of one's own, the same is
 *
 *     await train({ ...presets.EDSR.quick, data: ["photos"], out: "runs/mine" }, { say: console.log });
 */
import { trainFromCommandLine } from "../src/train/index.ts";

await trainFromCommandLine("train:edsr", "EDSR");
