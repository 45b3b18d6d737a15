import type { Host } from "../../src/host.ts";
import { lazy } from "../../src/lazy.ts";
import { processHost } from "../shared/process_host.ts";
import { openBunLibc } from "./libc.ts";

/** Bun as the core sees it. */
export const bunHost: Host = { runtime: "Bun", ...processHost, libc: lazy(openBunLibc) };
