/** The library's errors for people who have typed a command. */

/** Functions that the library's errors begin with, as those name what a program has called. */
const functions =
  "upscale|upscaleBands|openMethod|interpolator|chooseMethod|evaluate|psnr|ssim|findPictures|loadPicture|openFolder";

/** The message without the name of a function that no command line calls. */
export function messageOf(error: Error): string {
  // Those of data begin with the names of files, which may be any.
  if (!(error instanceof RangeError)) return error.message;
  return error.message.replace(new RegExp(`^(?:${functions}): `), "");
}
