/** Adds a network to the library's list, and nowhere else. Import it before anything that reads the list. */
import type { Architecture } from "../../src/models/architecture.ts";
import { architectures } from "../../src/models/registry.ts";
import { toy } from "./toy-network.ts";

(architectures as readonly Architecture[] as Architecture[]).push(toy);
