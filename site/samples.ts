/** Photographs to try, in the public domain. scripts/site-samples.ts makes their files. */
import { say } from "./language.ts";
import astronaut from "./samples/astronaut.jpg";
import astronautSmall from "./samples/astronaut-small.webp";
import cat from "./samples/cat.webp";
import catSmall from "./samples/cat-small.webp";
import cup from "./samples/cup.webp";
import cupSmall from "./samples/cup-small.webp";
import flower from "./samples/flower.webp";
import flowerSmall from "./samples/flower-small.webp";

export interface Sample {
  readonly name: string;
  readonly url: string;
  readonly thumbnail: string;
}

export const samples: readonly Sample[] = [
  { name: "Cat", url: cat, thumbnail: catSmall }, // vite.config.ts, too, knows which is the first
  { name: "Astronaut", url: astronaut, thumbnail: astronautSmall },
  { name: "Cup", url: cup, thumbnail: cupSmall },
  { name: "Flower", url: flower, thumbnail: flowerSmall },
];

/** What the page calls it. */
export function nameOfSample({ name }: Sample): string {
  return say.sampleNames[name];
}

/** @throws Error if it does not come, not even at the second try: a reload can cut off what was on its way */
export async function readSample(sample: Sample): Promise<File> {
  const load = async (): Promise<Blob> => {
    const response = await fetch(sample.url);
    if (!response.ok) throw new Error(`${response.status}`);
    return response.blob();
  };
  const file = await load()
    .catch(load)
    .catch((cause: Error) => {
      throw new Error(say.sampleNotLoaded(cause.message), { cause });
    });
  return new File([file], nameOfSample(sample), { type: file.type });
}
