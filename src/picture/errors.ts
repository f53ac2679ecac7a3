/** Something is wrong with a picture, a file or a folder. */
export class DataError extends Error {
  override name = "DataError";
}
