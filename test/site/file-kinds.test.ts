/** What a file seems to be, by its type and its name. */
import { expect, test } from "vitest";
import { isPicture, isVideo } from "../../site/pictures/file-kinds.ts";

test.each([
  ["a.png", "image/png", "picture"],
  ["drawing.svg", "image/svg+xml", "picture"],
  ["a.PPM", "", "picture"], // not all systems have a type for it
  ["clip.webm", "video/webm", "video"],
  ["clip.MKV", "", "video"],
  ["notes.txt", "text/plain", "neither"],
  ["ppm", "", "neither"],
])("%s of type “%s”: %s", (name, type, kind) => {
  expect([isPicture({ name, type }), isVideo({ name, type })]).toEqual([
    kind === "picture",
    kind === "video",
  ]);
});
