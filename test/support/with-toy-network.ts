/** Import this before anything that reads the list of networks: it has one entry more, and nothing else knows of it. */
import type { Architecture } from "../../src/models/architecture.ts";
import { architectures } from "../../src/models/registry.ts";
import { toy } from "./toy-network.ts";

(architectures as readonly Architecture[] as Architecture[]).push(toy);
