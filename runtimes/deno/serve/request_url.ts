import type { FallbackAddress } from "../../../src/activation/address.ts";
import { urlHost } from "../../../src/http/authority.ts";

/** Gives a request's real URL, from what Deno says and the request's headers. */
type UrlOf = (url: string, headers: Headers) => string;

/**
 * Makes a function that gives a request another URL. The request stays the same object, as `Deno.upgradeWebSocket()` takes only Deno's own:
 * it gets a class of its own, whose URL is worked out when it is asked for.
 *
 * Deno drops a request's headers when it is answered or upgraded, so the URL is also worked out when the headers are asked for:
 * `Deno.upgradeWebSocket()` reads those first, and the URL once they are gone.
 *
 * @param urlOf Gives the right URL.
 */
export function requestsWithUrl(urlOf: UrlOf): (request: Request) => Request {
  class OwnRequest extends Request {
    override get url(): string {
      const value = urlOf(super.url, super.headers);
      Object.defineProperty(this, "url", { value, configurable: true });
      return value;
    }

    override get headers(): Headers {
      const { headers } = Object.defineProperty(this, "headers", { value: super.headers, configurable: true });
      void this.url;
      return headers;
    }

    override clone(): Request {
      return own(super.clone());
    }
  }
  const own = (request: Request): Request => Object.setPrototypeOf(request, OwnRequest.prototype);
  return own;
}

const unixStart = "http+unix://";

/** What can be an authority: a Host header is the client's, and may hold anything. */
const authority = /^[^\s/?#@\\]+$/;

/**
 * The URL that a request on a Unix socket has everywhere else: `http:`, and the authority of the Host header. Deno has `http+unix:`, and
 * the socket's path where there is no Host; before 2.7 always.
 *
 * @param url Deno's.
 * @param headers The request's.
 */
export function httpUrl(url: string, headers: Headers): string {
  if (!url.startsWith(unixStart)) return url;
  const rest = url.slice(unixStart.length);
  const host = headers.get("host") ?? "";
  const path = host !== "" && rest.startsWith(host) ? rest.slice(host.length) : rest.slice(rest.indexOf("/"));
  return `http://${authority.test(host) ? host : "localhost"}${path}`;
}

/**
 * How the URL of a request begins that names no authority: HTTP/1.0 without Host, and before Deno 2.7 any on a Unix socket.
 *
 * @param address Where the server listens.
 * @param isTls Whether it serves https.
 */
export function ownOrigin(address: FallbackAddress, isTls: boolean): string {
  if (address.transport === "unix") {
    const path = address.path.startsWith("@") ? "" : address.path;
    return unixStart + encodeURIComponent(path).replace(/[-_.!~*'()]/g, percent);
  }
  const { hostname, port } = address;
  const [ip] = hostname.split("%");
  const isLocal = ip === "::" || ip === "::1" || ip === "0.0.0.0" || ip.startsWith("127.");
  const isDefault = port === (isTls ? 443 : 80);
  const host = isLocal ? "localhost" : urlHost(ip);
  return `${isTls ? "https" : "http"}://${host}${isDefault ? "" : `:${port}`}`;
}

/** For the characters that `encodeURIComponent()` leaves alone. */
function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
