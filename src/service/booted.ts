import { systemError } from "../system_error.ts";
import type { ServiceHost } from "./host.ts";

/** See {@linkcode ServiceApi.booted}: sd_booted(3) looks for the folder of systemd's own units. */
export function booted(host: ServiceHost): boolean {
  try {
    return host.exists("/run/systemd/system/");
  } catch (error) {
    throw systemError("look for systemd", error);
  }
}
