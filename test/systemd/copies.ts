/** The shipped daemon.service and its socket under other names, so that several run in one lab. */

import type { Lab } from "./lab.ts";
import { serviceText, unitText, type Variant } from "./variants.ts";

/** What a copy is. */
export interface Copy {
  readonly variant: Variant;
  readonly name: string;
  /** ListenStream=. */
  readonly address: string;
  /** More lines for `[Service]`. */
  readonly service: readonly string[];
}

/** Writes the units of a copy. Run `daemon-reload` after. */
export function writeCopy(lab: Lab, { variant, name, address, service }: Copy): void {
  const stream = `ListenStream=${address}\nTriggerLimitIntervalSec=0`;
  lab.writeUnit(`${name}.socket`, unitText("daemon.socket").replace(/^ListenStream=.*$/m, stream));
  const text = serviceText({ service: "daemon", variant })
    .replaceAll("daemon.socket", `${name}.socket`)
    .replaceAll("CacheDirectory=daemon", `CacheDirectory=${name}`)
    .replaceAll("%C/daemon", `%C/${name}`)
    .replace("User=fd3-daemon", `User=fd3-${name}`);
  lab.writeUnit(`${name}.service`, text);
  lab.writeUnit(
    `${name}.service.d/test.conf`,
    ["[Unit]", "StartLimitIntervalSec=0", "[Service]", ...service, ""].join("\n"),
  );
}
