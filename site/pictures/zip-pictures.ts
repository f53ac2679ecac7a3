/** Several pictures to one archive. Not loaded before that is asked for. */
import { DataError } from "../../src/picture/index.ts";
import type { Outcome, Tasks } from "../messages.ts";
import type { PictureStore } from "./store.ts";
import { writePicture } from "./write.ts";
import { zipFiles } from "./zip.ts";

type ZipTask = Tasks["zip"];

/** Leaves out what the format cannot hold, and says so in its outcome. `report` is called after each of them. */
export async function zipPictures(
  pictures: PictureStore,
  { files, format, quality }: ZipTask["input"],
  report: (event: ZipTask["event"]) => void,
): Promise<ZipTask["result"]> {
  const outcomes: Outcome[] = [];
  const write = async (picture: number, name: string) => {
    const { image, ...original } = await pictures.get(picture);
    try {
      const { file, notes } = await writePicture(image, original, format, quality);
      outcomes.push({ name, notes });
      return file;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      outcomes.push({ name, notes: [], error: error.message });
      return undefined;
    } finally {
      report({ done: outcomes.length });
    }
  };
  const entries = files.map(({ picture, name }) => ({ name, read: () => write(picture, name) }));
  return { file: await zipFiles(entries), outcomes };
}
