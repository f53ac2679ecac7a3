/** Node's Buffer for browsers: src/data uses it, whose code for metadata runs here, too. */
import { Buffer } from "buffer";

if (!("Buffer" in globalThis)) Object.assign(globalThis, { Buffer });
