/** What `evaluate` and `compare` share before anything is measured: flags, what they mean, and checks. */
import { degradationKind } from "../data/degradation-kind.ts";
import { folder, oneOf, whole } from "../options/kinds.ts";
import { formatNames } from "../picture/formats.ts";
import { paddings } from "../upscale/upscale-options.ts";
import { UsageError } from "./flags.ts";
import { adapterFlag, scaleFlag } from "./method-flags.ts";

/** They say what is measured, and on what. */
export const measureFlags = {
  hr: { kind: folder, help: `the original pictures (${formatNames})`, required: true },
  lr: {
    kind: folder,
    help:
      "small versions of them: NAME.png, NAMEx2.png, NAME_LR.png, NAME_lq.png, LR_NAME.png or so; default: by " +
      "Matlab's bicubic",
  },
  degradation: {
    kind: degradationKind,
    help: `makes the small versions, at scale 1 too, see above: ${degradationKind.wants}`,
  },
  scale: scaleFlag,
  protocol: { kind: oneOf("y", "rgb"), help: "what is compared, see above; default: y" },
  border: { kind: whole(0), help: "pixels left out along each side; default: as many as the scale" },
  padding: {
    kind: paddings,
    help: "what networks see beyond the picture's edges, see above; default: none",
  },
  adapter: adapterFlag,
} as const;

export const aboutProtocols = `
--protocol y, the default, is that of the papers' tables. It compares Y of BT.601 (Matlab's
rgb2ycbcr), rounded to whole levels. LR is Matlab's bicubic of this one plane, not rounded; the
result is rounded. Bicubic then has 33.66 dB and 0.9299 on Set5 x2, as published. With LR files,
which hold rounded RGB, it has 33.64 and 0.9293. EDSR works on RGB: it gets LR in RGB, and Y of its
rounded result is compared.

--protocol rgb compares R, G and B. For EDSR's figures on DIV2K, --border is the scale + 6.

--padding none, the default, measures networks as the papers do: they get the picture alone, and
most of them see zeros beyond its edges. "pixelgrad upscale" mirrors the picture there, which
--padding mirror measures.

--degradation jpeg:60, noise:10, blur:1.2 or blur:0.8+noise:5+jpeg:80 makes other small versions:
Gaussian blur in pixels of the original, then bicubic shrinking, noise in levels of 0 to 255, and
JPEG with 4:2:0 chroma. "photo" draws a mixture for each picture, as for training. All is drawn from
the seed 0 and the place of the picture in the folder, so the same command measures the same
pictures.

Of 16 bits per sample the upper 8 are measured, and of several frames the first. A picture that
cannot be measured, such as a transparent one or one without its LR file, does not stop the others:
a line says why, and the exit code is 1.`;

/** @throws UsageError */
export function refuseBoth(lr: string | undefined, degradation: unknown): void {
  if (lr === undefined || degradation === undefined) return;
  throw new UsageError("--lr names small versions, and --degradation makes them. Leave one of them out");
}

/** All pictures of the folders, before a network is loaded. @throws DataError if there are none in one of them */
export async function picturesInFolders(hr: string, lr: string | undefined): Promise<string[]> {
  const { picturesIn } = await import("../files/pictures-in.ts");
  return (lr === undefined ? [hr] : [hr, lr]).flatMap((folder) => picturesIn(folder).pictures);
}
