import { say } from "./language.ts";

/** The bytes of a file of the user's. @throws Error with words for the user, if it is no longer as it was chosen */
export async function readBytes(file: File): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = await file.arrayBuffer().catch((cause) => {
    throw new Error(say.unreadable(file.name), { cause });
  });
  return new Uint8Array(buffer);
}
