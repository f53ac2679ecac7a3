/** Node's Buffer for browsers: src/formats uses it, which runs here, too. */
import { Buffer } from "buffer";

if (!("Buffer" in globalThis)) Object.assign(globalThis, { Buffer });
