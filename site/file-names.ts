/** Names for the files that the page hands out. */

/**
 * Of a result, without an extension: "photo-x2-espcn" of "photo.jpg".
 *
 * @param size such as "x2", "1280x960" or "720p".
 * @param method what the page calls it. A user's network may have any name, and has its scale in it.
 */
export function resultName(original: string, size: string, method: string): string {
  return `${stemOf(original)}-${size}-${inFileName(method.replace(/ ×\d+$/, ""))}`;
}

/** Without the extension. */
export function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

/** Without what a file system may not take. */
export function inFileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, "-");
}
