import * as data from "pixelgrad/data";
import { load } from "./load.ts";

console.log(await load(data, "pictures"));
