/** Names for the files that the page hands out. */

/**
 * Of a result, without an extension: "photo-x2-espcn" of "photo.jpg".
 *
 * @param size such as "x2", "1280x960" or "720p".
 * @param method what the page calls it. A user's network may have any name, and has its scale in it.
 */
export function resultName(original: string, size: string, method: string): string {
  const end = `-${size}-${cut(inFileName(method.replace(/ ×\d+$/, "")), MAX_BYTES / 2)}`;
  const stem = stemOf(original).replace(/[\p{Cc}\p{Cs}\\/:*?"<>|]/gu, "-");
  return cut(stem, MAX_BYTES - bytesOf(end)) + end;
}

/** Of a result's name: file systems take 255, and an extension and a number may follow. */
const MAX_BYTES = 240;

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** As much of a text as so many bytes hold, in whole characters. */
function cut(text: string, most: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}

/** Files of an archive or a folder must not have the same name. */
export function uniqueNames(names: readonly string[]): string[] {
  const earlier = new Set<string>();
  return names.map((name) => {
    const [, stem, extension] = /^(.*?)(\.[^.]*)?$/s.exec(name)!;
    let unique = name;
    for (let n = 2; earlier.has(unique.toLowerCase()); n++) unique = `${stem} (${n})${extension ?? ""}`;
    earlier.add(unique.toLowerCase());
    return unique;
  });
}

/** Without the extension. */
export function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

/** Without what a file system may not take. */
export function inFileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, "-");
}
