import type { Choice } from "../../src/activation/choose.ts";
import type { Listener } from "../../src/types.ts";
import { adoptNet } from "../shared/net_listener.ts";
import { denoHost as host, setUpSignals } from "./host.ts";

/** A stream listener of node:net on an inherited descriptor: it needs no permission. */
export async function adoptPortably(choice: Choice): Promise<Listener> {
  const listener = await adoptNet(host, choice);
  setUpSignals();
  return listener;
}
