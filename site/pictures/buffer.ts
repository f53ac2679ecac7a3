/** Node's Buffer for browsers: src/data uses it, whose code for metadata runs here, too. The worker imports it first. */
import { Buffer } from "buffer";

globalThis.Buffer ??= Buffer as unknown as typeof globalThis.Buffer;
