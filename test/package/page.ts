import { measured } from "./picture.js";
import { train } from "./train.js";

const answer = async () => ({ ...(await train()), ...measured() });
const body = JSON.stringify(await answer().catch((error: unknown) => ({ error: String(error) })));
await fetch("/answer", { method: "POST", body });
