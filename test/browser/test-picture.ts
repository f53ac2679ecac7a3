import type { Image } from "../../src/picture/image.ts";
import { drawn } from "../support/drawn.ts";

/** Waves of every length, in three colours. */
export function testPicture(width = 61, height = 47): Image {
  return drawn(
    width,
    height,
    3,
    (x, y, c) => 128 + 110 * Math.sin((x * x) / 90 + c) * Math.cos((y * (c + 2)) / 15),
  );
}
