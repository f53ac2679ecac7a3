import { adviceInNode } from "../device/environment.ts";

/** How files are read: browsers fetch them, Node has them on a disk as well. */
let reader = fetchFile;

/** Reads a file: in browsers from its URL; in Node from its path or file URL. */
export function readFile(file: URL | string): Promise<Uint8Array> {
  return reader(file);
}

/** Called by Node's entry (node.ts), since Node's fetch does not read files. */
export function registerFileReader(ofNode: typeof readFile): void {
  reader = ofNode;
}

async function fetchFile(file: URL | string): Promise<Uint8Array> {
  if (typeof file === "string") {
    const advice = "browsers read no files by their path, so fetch it and give its bytes, a Uint8Array";
    throw new Error(adviceInNode() ?? advice);
  }
  const response = await fetch(file);
  // For a missing file, development servers answer with their start page.
  const page = response.headers.get("content-type")?.startsWith("text/html");
  if (!response.ok || page) {
    throw new Error(page ? "the server answers with a page" : `${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
