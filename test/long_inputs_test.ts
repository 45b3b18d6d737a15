// Text that somebody else wrote must not stop the event loop: each parser takes a time that is proportional to the length.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { httpUrl } from "../runtimes/deno/serve/request_url.ts";
import { fallbackAddress, parseListenAddress } from "../src/activation/address.ts";
import { named } from "../src/activation/choose.ts";
import { parseNames } from "../src/activation/listen_fds.ts";
import { parseInt32, parsePid, parseUint64 } from "../src/activation/number.ts";
import { findWrapper } from "../src/activation/wrapper.ts";
import { credential, directories } from "../src/service/surroundings.ts";
import { detailsOf, errnoOf, messageOf } from "../src/service/failure.ts";
import { logText } from "../src/service/log.ts";
import { parseEpollInfo, socketInode } from "../src/linux/proc.ts";
import { notifyAddress } from "../src/notify/transport.ts";
import { isFdName } from "../src/notify/state.ts";
import { statusLine } from "../src/daemon/messages.ts";
import { systemError } from "../src/system_error.ts";
import type { ServiceHost } from "../src/service/host.ts";

/** As long as a client's header, an error's message or an environment variable easily is. */
const length = 65536;
/** What a quadratic one took for that: 4 to 7 s. Linear ones take a few ms. */
const mostMs = 1000;

/** A refusal with 300 characters of it, each of six as an escape, and the words around. */
const mostShown = 2200;

const service = { env: (name: string) => name } as unknown as ServiceHost;

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  credential: (text) => credential(service, text),
  detailsOf: (text) => detailsOf({ message: text, stack: `Error: ${text}\n at` }),
  directories: (text) => directories({ ...service, env: () => text } as ServiceHost, "state"),
  errnoOf: (text) => errnoOf({ code: text }),
  fallbackAddress: (text) => fallbackAddress({ hostname: text, port: 80 }),
  findWrapper,
  httpUrl: (text) => httpUrl("http+unix://x/", { get: () => text } as unknown as Headers),
  isFdName,
  logText: (text) => logText("<3>", text),
  messageOf: (text) => messageOf({ message: text }),
  named: (text) => named([{ fd: 3, name: text }], text),
  notifyAddress,
  parseEpollInfo: (text) => parseEpollInfo(text, 5),
  parseInt32: (text) => parseInt32("LISTEN_FDS", text),
  parseListenAddress,
  parseNames,
  parsePid: (text) => parsePid("LISTEN_PID", text),
  parseUint64: (text) => parseUint64("WATCHDOG_USEC", text),
  socketInode,
  statusLine,
  systemError: (text) => systemError(text, { message: text }),
};

const fillers = [
  " ",
  "\n",
  "\0",
  "\t\v",
  " \n",
  "0",
  "9",
  "f",
  ":",
  ".",
  "\\",
  "[",
  "/",
  "-",
  "@",
  "%",
  "a ",
  "ab:",
  " -x",
];
const starts = ["", "[", "0x", "node "];
const ends = ["", "]:80 x"];

for (const [name, parse] of Object.entries(parsers)) {
  test(`${name}() takes a time that is proportional to the length`, () => {
    for (const filler of fillers) {
      const middle = filler.repeat(length / filler.length);
      for (const start of starts) {
        for (const end of ends) {
          const before = process.cpuUsage().user;
          try {
            parse(`${start}${middle}${end}`);
          } catch (error) {
            // A refusal shows no more of it than a person reads.
            assert.ok(["Fd3Error", "TypeError"].includes((error as Error).name), String(error));
            const { length } = (error as Error).message;
            assert.ok(length < mostShown || name === "systemError", `the refusal has ${length} characters`);
          }
          const ms = (process.cpuUsage().user - before) / 1000;
          assert.ok(ms < mostMs, `${JSON.stringify([start, filler, end])}: ${ms} ms`);
        }
      }
    }
  });
}

test("statusLine() looks at no more lines than it shows", () => {
  // One that looks at all of them takes 5 s or more, and a gigabyte.
  const text = "x\n".repeat(16 * 1024 * 1024);
  const before = process.cpuUsage().user;
  assert.equal(statusLine(text), `${"x ".repeat(1024)}…`);
  const ms = (process.cpuUsage().user - before) / 1000;
  assert.ok(ms < mostMs, `${ms} ms`);
});
