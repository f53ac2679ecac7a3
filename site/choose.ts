/** Loaded once a picture is to be enlarged, and not before. */
export { chooseMethod } from "../src/index.ts";
