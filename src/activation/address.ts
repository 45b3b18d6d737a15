import { quoted } from "../quoted.ts";
import type { Address, Fallback } from "../types.ts";

const allowed = 'allowed are "/path", "@abstract", "port", "host:port", "[v6]:port" and "vsock:cid:port"';
/** sun_path has 108 bytes, of which a path needs one for its end and an abstract name one for its start (unix(7)). */
const longestUnixPath = 107;

function refuse(text: string, why: string): never {
  throw new TypeError(`Cannot read address ${quoted(text)}: ${why}; ${allowed}`);
}

function parsePort(text: string, digits: string): number {
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : NaN;
  if (!(port <= 65535)) refuse(text, `port ${quoted(digits)} is not between 0 and 65535`);
  return port;
}

function parseUnix(text: string): Address {
  if (text.includes("\0")) refuse(text, "it contains a NUL");
  // UTF-8 has no form for it: the runtimes would put another character there, and open another address.
  if (/\p{Surrogate}/u.test(text)) refuse(text, "it contains half of a surrogate pair");
  if (text.startsWith("/") && text.endsWith("/")) refuse(text, "it names a folder");
  if (new TextEncoder().encode(text).length > longestUnixPath) {
    refuse(text, `it has more than ${longestUnixPath} bytes`);
  }
  if (text === "@") refuse(text, "the abstract name is empty");
  return { transport: "unix", path: text };
}

function parseVsock(text: string): Address {
  const match = /^vsock:([0-9]*):([0-9]+)$/.exec(text);
  if (match === null) refuse(text, "it is not vsock:cid:port");
  const [cid, port] = [match[1] === "" ? 0xffffffff : Number(match[1]), Number(match[2])];
  if (cid > 0xffffffff || port > 0xffffffff) refuse(text, "a number is above 4294967295");
  return { transport: "vsock", cid, port };
}

/** The URL standard has the same grammar between brackets. */
function isIpv6(text: string): boolean {
  return URL.canParse(`http://[${text}]`);
}

/** What names a network interface has (IFNAMSIZ), or its number. */
const device = "[^%/:\\s\\0]{1,15}";
const scopePattern = new RegExp(`^${device}$`);
const v6Pattern = new RegExp(`^\\[([0-9a-fA-F:.]+)\\]:([0-9]+)(?:%(${device}))?$`);

/** The lengths that the domain name system has room for (RFC 1035, 2.3.4). */
const [longestName, longestLabel] = [253, 63];

/**
 * Why this is not the name of a host or its IPv4 address; `undefined` if it may be. What ends in a number is an address, as in the URL
 * standard: libc would read `127.1` and `0177.0.0.1` as addresses that nobody sees in them, and ask a name server for `256.0.0.1`.
 */
function hostFault(text: string): string | undefined {
  const labels = text.replace(/\.$/, "").split(".");
  if (/^[0-9]+$|^0[xX]/.test(labels.at(-1)!)) {
    const isAddress = /^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(?!$)|$)){4}$/.test(text);
    return isAddress ? undefined : "the host is no IPv4 address";
  }
  const isName = text.length <= longestName && !/\p{Cc}|\p{Surrogate}/u.test(text) &&
    labels.every((label) => label.length > 0 && label.length <= longestLabel);
  return isName ? undefined : "the host is no host name";
}

/**
 * The grammar of ListenStream= (systemd.socket(5)). A port alone is all addresses, `[::]`; `[v6]:port%dev` names the interface of
 * a link-local address. A host name is taken where systemd wants a number: the runtime looks it up.
 *
 * @throws {TypeError} If the text is none of these, naming it and what is allowed.
 * @param text The address.
 */
export function parseListenAddress(text: string): Address {
  if (text.startsWith("/") || text.startsWith("@")) return parseUnix(text);
  if (text.startsWith("vsock:")) return parseVsock(text);
  if (/^[0-9]+$/.test(text)) {
    const port = parsePort(text, text);
    if (port === 0) refuse(text, "port 0 needs a host");
    return { transport: "tcp", hostname: "::", port };
  }
  const v6 = v6Pattern.exec(text);
  if (v6 !== null) {
    if (!isIpv6(v6[1])) refuse(text, "what is between the brackets is no IPv6 address");
    const scope = v6[3] === undefined ? "" : `%${v6[3]}`;
    return { transport: "tcp", hostname: v6[1] + scope, port: parsePort(text, v6[2]) };
  }
  const host = /^([^:/@[\]%\s\0]+):([0-9]+)$/.exec(text);
  if (host === null) refuse(text, "it is none of these");
  const fault = hostFault(host[1]);
  if (fault !== undefined) refuse(text, fault);
  return { transport: "tcp", hostname: host[1], port: parsePort(text, host[2]) };
}

/** Whether this may be a name or an address: the runtime looks names up. */
function isHost(text: string): boolean {
  const [ip, scope = "0", ...rest] = text.split("%");
  const isScope = scopePattern.test(scope) && rest.length === 0;
  if (text.includes(":")) return isIpv6(ip) && isScope;
  return /^[^:/@[\]%\s\0]+$/.test(text) && hostFault(text) === undefined;
}

/** What `listen()` can open itself. */
export type FallbackAddress = Exclude<Address, { transport: "vsock" }>;

/**
 * The fallback option as an address.
 *
 * @throws {TypeError} If it is none that a runtime can open.
 * @param fallback A text of the ListenStream= grammar, or the same in parts.
 */
export function fallbackAddress(fallback: Fallback): FallbackAddress {
  if (typeof fallback === "string") {
    const address = parseListenAddress(fallback);
    if (address.transport === "vsock") refuse(fallback, "no runtime can open a vsock");
    return address;
  }
  if (typeof fallback !== "object" || fallback === null) {
    throw new TypeError(`Cannot read fallback: ${String(fallback)} is neither a string nor an object`);
  }
  if ("path" in fallback) {
    for (const key of ["hostname", "port"]) {
      if ((fallback as Record<string, unknown>)[key] !== undefined) {
        throw new TypeError(`Cannot read fallback: it has a path and a ${key}, which is another address`);
      }
    }
    return unixPart(fallback.path);
  }
  const { hostname = "::", port } = fallback;
  if (typeof hostname !== "string" || !isHost(hostname)) {
    throw new TypeError(`Cannot read fallback: hostname ${quoted(hostname)} is not a name or address`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new TypeError(`Cannot read fallback: port ${String(port)} is not between 0 and 65535`);
  }
  return { transport: "tcp", hostname, port };
}

function unixPart(path: string): FallbackAddress {
  if (typeof path !== "string" || !/^[/@]/.test(path)) {
    throw new TypeError(`Cannot read fallback: path ${quoted(path)} begins with neither "/" nor "@"`);
  }
  return parseUnix(path) as FallbackAddress;
}

/** An address as a person reads it, in the same grammar. */
export function formatAddress(address: Address): string {
  switch (address.transport) {
    case "unix":
      return address.path === "" ? "(unnamed)" : address.path;
    case "vsock":
      return `vsock:${address.cid}:${address.port}`;
    case "tcp": {
      if (!address.hostname.includes(":")) return `${address.hostname}:${address.port}`;
      const [hostname, scope] = address.hostname.split("%");
      return `[${hostname}]:${address.port}${scope === undefined ? "" : `%${scope}`}`;
    }
  }
}
