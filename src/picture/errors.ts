/** Something is wrong with a picture, a folder of pictures or an argument that describes one. */
export class DataError extends Error {
  override name = "DataError";
}
