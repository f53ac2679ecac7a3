import { measured } from "./picture.js";
import { train } from "./train.js";

console.log(JSON.stringify({ ...(await train()), ...measured() }));
