import { edsr } from "./edsr.ts";
import { espcn } from "./espcn.ts";
import { fsrcnn } from "./fsrcnn.ts";
import { srcnn } from "./srcnn.ts";

/** The networks of this library. A new one is a file beside these and an entry here. */
export const architectures = [srcnn, espcn, fsrcnn, edsr] as const;
