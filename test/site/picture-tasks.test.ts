/** What the worker keeps of pictures. */
import { expect, test } from "vitest";
import { pictures, pictureTasks } from "../../site/picture-tasks.ts";

test("a picture that cannot be drawn does not stay", async () => {
  const image = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) } as const;
  const id = pictures.add({ image, metadata: {}, gaps: [] });
  const part = { left: 0, top: 0, width: 1, height: 1 };
  // Node has nothing to draw with.
  await expect(pictureTasks.crop({ picture: id, part }, {} as never)).rejects.toThrow(ReferenceError);
  await expect(pictures.get(id + 1)).rejects.toThrow("This picture is no longer here.");
  expect((await pictures.get(id)).image).toBe(image);
});
