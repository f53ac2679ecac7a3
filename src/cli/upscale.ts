/** `pixelgrad upscale`: the command that most people come for. */
import { limits } from "../upscale/choice.ts";
import { defaultsInWords, networksInWords, photoNetwork, scalesOf } from "../upscale/method-names.ts";
import { defineCommand, UsageError, wrap } from "./flags.ts";
import { checkWritable, prepareJson } from "./outputs.ts";
import { upscaleFlags } from "./upscale-flags.ts";
import { newFolderOf } from "./upscale-plan.ts";

/** Follows from the table of networks. */
function aboutMethods(): string {
  const photoScales = scalesOf(photoNetwork);
  const photo =
    photoScales.length === 0
      ? ""
      : ` Traces of JPEG (quality ${limits.jpegQuality} or less), noise or blur: ${photoNetwork}, where it has the ` +
        `scale${photoScales.includes(1) ? "; at scale 1, it only removes them" : ""}.`;
  return (
    `These networks come with pixelgrad: ${networksInWords()}. Your own are weight files, as "pixelgrad train" and ` +
    "saveWeights() write them; a file knows its scale. Without --method, the picture decides, and its line says " +
    `which network and why. Clean pictures: ${defaultsInWords()}.${photo} Without a GPU, networks take seconds per ` +
    "megapixel; espcn is the fastest."
  );
}

export const upscaleCommand = defineCommand({
  about: `
Enlarges pictures, folders of pictures, or video from a pipe.

Pictures may have any size: large ones are computed in tiles, with the same result. Networks see
the picture mirrored beyond its edges, so that plain areas stay plain there. Colours, 16 bits, EXIF,
XMP, IPTC and the resolution (dpi) are kept, the camera's orientation is applied, and transparent
edges get no seams. A line says what the format of the output cannot hold.

${wrap(aboutMethods()).join("\n")}

Files are written whole or not at all, and no original is ever replaced. If a picture cannot be read
or written, the rest is done all the same, the last line names it, and the exit code is 1. After
Ctrl-C or a crash, run the same command again to go on: what exists is left alone.

Results are named after their pictures. Where two would have the same name, they keep more of it:
a.jpg and a.png become a.jpg.png and a.png.png. Results may lie beside the pictures, as those of
"-i photos -o photos -f webp" do. Nothing in a file says that it is a result: in such a folder, the
next run knows it by the name that a picture's result would get, together with a size of 2, 3, 4 or
8 times that picture's, or the size that this run gives it (if that is not larger, as by --scale 1,
only in the format of this run). It leaves it out, and says so. Whatever has another size is
enlarged, and so is what you name itself.

Video is y4m (YUV4MPEG2: 4:2:0, 4:2:2, 4:4:4 or grey, 8 to 16 bits), in and out. The method enlarges
luma, bicubic interpolation chroma. Without --method, it is the one for clean pictures: all frames
get the same.`,
  flags: upscaleFlags,
  operands: "input",
  examples: [
    ["-i photo.jpg -o large.png", "twice as wide and high, by the network that suits the picture"],
    ["-i photo.jpg -o large.png -m bicubic -s 8", "by an interpolation"],
    ["-i photo.jpg -o large.png -m edsr-x4.safetensors", "by a network of your own, here fourfold"],
    ["-i scans -o large -s 3 -f webp --quality 90", "all pictures of a folder, into another one"],
    ["a.png b.jpg photos -r -o large", "two pictures, and those of a folder and its subfolders"],
    ["-i huge.png -o larger.png --max-memory 512M", "with little memory"],
    ["photos -o wallpapers --width 3840 --height 2160", "each as large as fits"],
    [
      "-i - -o - -m espcn-x2.safetensors < in.y4m > out.y4m",
      "video; with ffmpeg around it:\n" +
        "      ffmpeg -i in.mp4 -f yuv4mpegpipe - | pixelgrad upscale -i - -o - | ffmpeg -i - out.mp4",
    ],
  ],
  async run(values, { signal }) {
    const { input, output, json, profile } = values;
    const newFolder = newFolderOf(values);
    prepareJson(json, newFolder);
    checkWritable(profile, newFolder);
    if (input.includes("-") !== (output === "-") || (output === "-" && input.length > 1)) {
      throw new UsageError("video comes and goes by pipes: give both -i - and -o -, or neither");
    }
    if (output === "-") {
      const { upscaleVideo } = await import("./upscale-video.ts");
      return upscaleVideo(values, signal);
    }
    const { upscaleFiles } = await import("./upscale-files.ts");
    await upscaleFiles(values, signal);
  },
});
