/** Photographs to try; CC0. scripts/site-samples.ts makes their files. */
import boats from "./samples/boats.webp";
import boatsSmall from "./samples/boats-small.webp";
import canyon from "./samples/canyon.webp";
import canyonSmall from "./samples/canyon-small.webp";
import cat from "./samples/cat.webp";
import catSmall from "./samples/cat-small.webp";
import flower from "./samples/flower.webp";
import flowerSmall from "./samples/flower-small.webp";

export interface Sample {
  readonly name: string;
  readonly url: string;
  readonly thumbnail: string;
}

export const samples: readonly Sample[] = [
  { name: "Flower", url: flower, thumbnail: flowerSmall },
  { name: "Boats", url: boats, thumbnail: boatsSmall },
  { name: "Canyon", url: canyon, thumbnail: canyonSmall },
  { name: "Cat", url: cat, thumbnail: catSmall },
];

/** @throws Error if it does not come */
export async function readSample({ name, url }: Sample): Promise<File> {
  const response = await fetch(url).catch((cause: Error) => {
    throw new Error(`The sample could not be loaded (${cause.message}). Choose a picture of your own.`, {
      cause,
    });
  });
  if (!response.ok)
    throw new Error(`The sample could not be loaded (${response.status}). Choose a picture of your own.`);
  return new File([await response.blob()], name, { type: "image/webp" });
}
