// The whole walk-through in one terminal, without systemd: a socket is held here, and foobard starts when somebody connects.
//
//   example.ts      type lines, end with Ctrl-D
import process from "node:process";
import { walkThrough } from "./activator/walk_through.ts";

process.exit(await walkThrough());
