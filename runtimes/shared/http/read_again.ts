import type { IncomingMessage, NodeHttpServer } from "./types.ts";

/** The head of a request as it came, but that it asks for no upgrade. */
function plainHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i], rawHeaders[i + 1]];
    if (name.toLowerCase() !== "connection") {
      lines.push(`${name}: ${value}`);
      continue;
    }
    const words = value.split(",").map((word) => word.trim()).filter((word) => word.toLowerCase() !== "upgrade");
    if (words.length > 0) lines.push(`${name}: ${words.join(", ")}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Lets a server of node:http read a request anew, as a plain one: with a listener for upgrades, Node before 22.21 takes each request that
 * asks for one out of its hands, with the body unread, whatever protocol is meant. It can go once `shouldUpgradeCallback` is in each Node.
 *
 * @param server The server.
 * @param incoming The request, of which only the head was read.
 * @param rest What came behind it.
 */
export function readAgain(server: NodeHttpServer, incoming: IncomingMessage, rest: Uint8Array): void {
  const { socket } = incoming;
  if (rest.length > 0) socket.unshift(rest);
  socket.unshift(plainHead(incoming), "latin1");
  server.emit(socket.encrypted ? "secureConnection" : "connection", socket);
}
