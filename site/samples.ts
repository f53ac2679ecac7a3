/** Photographs to try; CC0. scripts/site-samples.ts makes their files. */
import { say } from "./language.ts";
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

/** What the page calls it. */
export function nameOfSample({ name }: Sample): string {
  return say.sampleNames[name];
}

/** @throws Error if it does not come */
export async function readSample(sample: Sample): Promise<File> {
  const response = await fetch(sample.url).catch((cause: Error) => {
    throw new Error(say.sampleNotLoaded(cause.message), { cause });
  });
  if (!response.ok) throw new Error(say.sampleNotLoaded(`${response.status}`));
  return new File([await response.blob()], nameOfSample(sample), { type: "image/webp" });
}
