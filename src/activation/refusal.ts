import { Fd3Error } from "../errors.ts";
import type { Host } from "../host.ts";
import { kindCode, kindText } from "../linux/kind_text.ts";
import type { ListenFd } from "../types.ts";
import type { Candidate } from "./choose.ts";
import type { Environment } from "./listen_fds.ts";
import { explainNothing } from "./wrapper.ts";

/** Why no descriptor could be chosen. */
export type Refusal =
  | {
    readonly refused: "nothing";
    readonly env: Environment;
    /** Whether something was passed, which `takeFd()` gave out. */
    readonly isClaimed: boolean;
  }
  | { readonly refused: "too many" }
  | {
    readonly refused: "none fits";
    /** Those with the name. */
    readonly candidates: readonly Candidate[];
    readonly all: readonly ListenFd[];
    readonly name: string | undefined;
  };

function list(candidates: readonly Candidate[]): string {
  const line = (c: Candidate) => {
    const what = c.taken ? "taken before" : c.kind === undefined ? "of unknown kind" : kindText(c.kind);
    return `fd ${c.fd} ${JSON.stringify(c.name)} (${what})`;
  };
  return candidates.map(line).join(", ");
}

function noneFits({ candidates, all, name }: Extract<Refusal, { refused: "none fits" }>): Fd3Error {
  if (candidates.length === 0) {
    const names = [...new Set(all.map((entry) => JSON.stringify(entry.name)))].join(", ");
    const text = `Cannot find a descriptor named ${JSON.stringify(name)}: received were ${names}`;
    return new Fd3Error("ERR_FD3_NAME", text);
  }
  const free = candidates.filter((c) => !c.taken);
  if (free.length === 0) {
    return new Fd3Error("ERR_FD3_TAKEN", `Cannot take a descriptor twice: received were ${list(candidates)}`);
  }
  const [{ fd, kind }] = free;
  if (free.length === 1 && kind !== undefined) {
    return new Fd3Error(kindCode(kind), `Cannot adopt fd ${fd} as a stream listener: ${kindText(kind)}`);
  }
  return new Fd3Error("ERR_FD3_KIND", `Cannot find a stream listener: received were ${list(candidates)}`);
}

/** A refusal as the error that `listen()` throws. It is a file of its own, since a daemon that starts does not need it. */
export function refusalError(refusal: Refusal, host: Host): Fd3Error {
  switch (refusal.refused) {
    case "nothing": {
      const why = refusal.isClaimed ? "takeFd() has all that were passed" : explainNothing(refusal.env, host);
      return new Fd3Error("ERR_FD3_NO_FDS", `No file descriptors received${why === undefined ? "" : `: ${why}`}`);
    }
    case "too many":
      return new Fd3Error("ERR_FD3_TOO_MANY_FDS", "Too many file descriptors received");
    case "none fits":
      return noneFits(refusal);
  }
}
