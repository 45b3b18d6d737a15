import { Fd3Error } from "../errors.ts";
import type { Host } from "../host.ts";
import { kindCode, kindCure, kindText } from "../linux/kind_text.ts";
import type { DescriptorKind } from "../linux/socket.ts";
import { quoted } from "../quoted.ts";
import { formatAddress } from "./address.ts";
import type { Candidate, Refusal, Wanted } from "./choose.ts";
import { explainNothing, isWatched } from "./wrapper.ts";

/** What to do where nobody passed anything. A program that Deno starts anew has neither the descriptors nor the variables. */
function startSocket(host: Host): string {
  const cure = "start its socket unit (systemctl start NAME.socket), or give `fallback`";
  return isWatched(host)
    ? `${cure}; a watcher that has reloaded the program has lost them: start it without --watch`
    : cure;
}

/** So many descriptors are listed: a service may have been passed thousands. */
const mostListed = 20;

/** What a candidate is, and where. */
function shown({ fd, name, taken, kind }: Candidate): string {
  const what = taken ? "taken before" : kind === undefined ? "of unknown kind" : kindText(kind);
  const address = kind?.is === "socket" && kind.address !== undefined ? ` on ${formatAddress(kind.address)}` : "";
  return `fd ${fd} ${quoted(name)} (${what}${address})`;
}

function list(candidates: readonly Candidate[]): string {
  const rest = candidates.length - mostListed;
  return candidates.slice(0, mostListed).map(shown).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** How to choose among them: names do, those that share a name are given out one at each call, and all can be had at once. */
function tooMany(candidates: readonly Candidate[]): Fd3Error {
  const names = new Set(candidates.map(({ name }) => name));
  const [first] = names;
  const cure = names.size === 1
    ? `call it once for each with \`name: ${quoted(first)}\`, which gives the next one each time`
    : "choose by `name`, which gives the next one of that name at each call";
  const all = "or take all with `all: true`";
  return new Fd3Error(
    "ERR_FD3_TOO_MANY_FDS",
    `Too many file descriptors received: ${list(candidates)}; ${cure}, ${all}`,
  );
}

/** Which line of the unit makes such a descriptor, where another is wanted; or what else closed ours. */
function cureOf(kind: DescriptorKind, wanted: Wanted, host: Host): string {
  const cure = kind.is !== "socket" && isWatched(host)
    ? "a watcher reloaded the program and closed the socket: start it without --watch"
    : kindCure(kind, wanted.line);
  return cure === undefined ? "" : `; ${cure}`;
}

function noneFits(refusal: Extract<Refusal, { refused: "none fits" }>, host: Host): Fd3Error {
  const { wanted, candidates, passed, name } = refusal;
  if (candidates.length === 0) {
    const names = [...new Set(passed.map((entry) => quoted(entry.name)))].join(", ");
    const text = `Cannot find a descriptor named ${quoted(name)}: received were ${names}; ` +
      "FileDescriptorName= of the socket unit sets it";
    return new Fd3Error("ERR_FD3_NAME", text);
  }
  const free = candidates.filter((c) => !c.taken);
  if (free.length === 0) {
    return new Fd3Error("ERR_FD3_TAKEN", `Cannot take a descriptor twice: received were ${list(candidates)}`);
  }
  const [{ fd, kind }] = free;
  if (free.length === 1 && kind !== undefined) {
    const text = `Cannot adopt fd ${fd} as ${wanted.what}: ${kindText(kind)}${cureOf(kind, wanted, host)}`;
    return new Fd3Error(kindCode(kind), text);
  }
  return new Fd3Error("ERR_FD3_KIND", `Cannot find ${wanted.what}: received were ${list(candidates)}`);
}

/** A refusal as the error that `listen()` throws. It is a file of its own, since a daemon that starts does not need it. */
export function refusalError(refusal: Refusal, host: Host): Fd3Error {
  switch (refusal.refused) {
    case "nothing": {
      const why = refusal.isClaimed ? "takeFd() has all that were passed" : explainNothing(refusal.env, host);
      return new Fd3Error("ERR_FD3_NO_FDS", `No file descriptors received: ${why ?? startSocket(host)}`);
    }
    case "too many":
      return tooMany(refusal.candidates);
    case "none fits":
      return noneFits(refusal, host);
  }
}
