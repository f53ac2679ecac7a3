/** The file that a conversion writes into, where a page can write one. */
import type { Container } from "./messages.ts";

/** What TypeScript's library lacks of the File System Access API. */
type SavePicker = (options: object) => Promise<FileSystemFileHandle>;

function savePicker(): SavePicker | undefined {
  return (window as Window & { showSaveFilePicker?: SavePicker }).showSaveFilePicker?.bind(window);
}

export function canChooseFile(): boolean {
  return savePicker() !== undefined;
}

/** Asks for a file. There is no handle where a page cannot write one, and if the user chooses none. */
export async function chooseFile(
  suggestedName: string,
  container: Container,
): Promise<{ readonly handle?: FileSystemFileHandle; readonly isCancelled?: boolean }> {
  const picker = savePicker();
  if (!picker) return {};
  try {
    const types = [{ accept: { [`video/${container}`]: [`.${container}`] } }];
    return { handle: await picker({ id: "videos", startIn: "videos", suggestedName, types }) };
  } catch (error) {
    if ((error as Error).name === "AbortError") return { isCancelled: true };
    if ((error as Error).name === "SecurityError") return {}; // no click, or forbidden in a frame
    throw error;
  }
}
