/** Which picture files this browser writes: small and apart, since it is asked before anything is written. */

/** What browsers write, or will. */
export type OutputFormat = "png" | "jpeg" | "webp" | "avif";

const byBrowser = ["jpeg", "webp", "avif"] as const;

/** The formats that this browser writes. PNG is ours; asked for a format that it does not know, a canvas writes PNG. */
export async function writableFormats(): Promise<readonly OutputFormat[]> {
  const written = await Promise.all(
    byBrowser.map(async (format) => {
      const canvas = new OffscreenCanvas(1, 1);
      canvas.getContext("2d"); // without one, it has nothing to write
      const type = `image/${format}`;
      const file = await canvas.convertToBlob({ type }).catch(() => undefined);
      return file?.type === type;
    }),
  );
  return ["png", ...byBrowser.filter((_, i) => written[i])];
}
