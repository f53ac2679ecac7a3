import * as pixelgrad from "pixelgrad";
import { use } from "./use.ts";

console.log(JSON.stringify(await use(pixelgrad)));
