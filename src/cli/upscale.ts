/** `pixelgrad upscale`: what most people come for. */
import { DataError } from "../picture/errors.ts";
import { defineCommand, UsageError } from "./flags.ts";
import { checkFolderOf } from "./results.ts";
import { upscaleFlags } from "./upscale-flags.ts";

export const upscaleCommand = defineCommand(
  {
    name: "upscale",
    summary: "enlarges a picture, a folder of pictures, or video in a pipe",
    about: `
Any size works: large pictures are computed in tiles, with the same result. Colour profiles and
16 bits are kept, a camera's orientation is applied, and transparent edges get no seams.

The networks edsr-small, espcn and srcnn come with pixelgrad and enlarge by 2, 3 or 4. Your own come
as weight files, which "pixelgrad train" and saveWeights() write; a file knows its scale. Without
--method, edsr-small is taken, and bicubic interpolation at scale 8. Without a GPU, a network takes
seconds for each megapixel; espcn is the fastest.

Files are written whole or not at all. A picture that cannot be read or written is reported, and the
rest of the folder is done; the exit code is then 1. Ctrl-C stops between two tiles and leaves no
half files; run the same command again to go on.

Video is read as y4m (YUV4MPEG2: 4:2:0, 4:2:2, 4:4:4 or grey, 8 to 16 bits) and written as such.
The method enlarges brightness, bicubic interpolation colour.`,
    flags: upscaleFlags,
    examples: [
      ["upscale -i photo.jpg -o large.png", "twice as wide and high, by edsr-small"],
      ["upscale -i photo.jpg -o large.png -m bicubic -s 8", "by an interpolation"],
      ["upscale -i photo.jpg -o large.png -m edsr-x4.safetensors", "by a network of your own, here fourfold"],
      ["upscale -i scans -o large -s 3 -f webp --quality 90", "all pictures of a folder, into another one"],
      ["upscale -i huge.png -o larger.png --max-memory 512M", "with little memory"],
      [
        "upscale -i - -o - -m espcn-x2.safetensors < in.y4m > out.y4m",
        "video; with ffmpeg around it:\n" +
          "      ffmpeg -i in.mp4 -f yuv4mpegpipe - | pixelgrad upscale -i - -o - | ffmpeg -i - out.mp4",
      ],
    ],
  },
  async (values, context) => {
    const { input, output, json } = values;
    if (json !== undefined) checkFolderOf(json);
    if ((input === "-") !== (output === "-")) {
      throw new UsageError("video comes and goes by pipes: give both -i - and -o -, or neither");
    }
    if (input === "-") {
      const { upscaleVideo } = await import("./upscale-video.ts");
      await upscaleVideo(values, context);
      return;
    }
    const { upscaleFiles } = await import("./upscale-files.ts");
    const reports = await upscaleFiles(values, context);
    if (json !== undefined) {
      const { writeWhole } = await import("../data/files.ts");
      await writeWhole(json, `${JSON.stringify(reports, null, 2)}\n`);
    }
    const failed = reports.filter(({ error }) => error !== undefined);
    if (failed.length === 1 && reports.length === 1) throw new DataError(failed[0].error!);
    if (failed.length > 0) {
      throw new DataError(`${failed.length} of ${reports.length} pictures were not enlarged; see above.`);
    }
  },
);
