import type { TlsOptions } from "../../src/http/types.ts";
import { builtin } from "./common.ts";

/** `node:crypto`. https://nodejs.org/api/crypto.html */
interface CryptoModule {
  createPrivateKey(pem: string): unknown;
  X509Certificate: new (pem: string) => { checkPrivateKey(key: unknown): boolean };
}

function read<T>(part: string, what: string, reader: () => T): T {
  try {
    return reader();
  } catch (cause) {
    throw new TypeError(`Cannot serve: ${part} is not ${what}`, { cause });
  }
}

/**
 * Asked before anything is opened: each server has words of its own for a wrong certificate or key, and that of node:https on Deno has
 * none before the first client comes.
 *
 * @throws {TypeError} If they are not a certificate and its key.
 * @param tls What the caller gave.
 */
export function checkTls({ cert, key }: TlsOptions): void {
  const { createPrivateKey, X509Certificate } = builtin<CryptoModule>("node:crypto");
  const certificate = read("tls.cert", "a certificate in PEM", () => new X509Certificate(cert));
  const privateKey = read("tls.key", "a private key in PEM", () => createPrivateKey(key));
  const isPair = read("tls.key", "the key of tls.cert", () => certificate.checkPrivateKey(privateKey));
  if (!isPair) throw new TypeError("Cannot serve: tls.key is not the key of tls.cert");
}
