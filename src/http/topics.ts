/**
 * Who gets what is published, at one server. crossws has topics, too, but of one adapter, and Bun of one `Bun.serve()`: a server of fd3 may have
 * several sockets, and engines.
 */
export class Topics<Peer extends object> {
  readonly #peers: Map<string, Set<Peer>> = new Map();

  add(topic: string, peer: Peer): void {
    const peers = this.#peers.get(topic);
    if (peers === undefined) this.#peers.set(topic, new Set([peer]));
    else peers.add(peer);
  }

  delete(topic: string, peer: Peer): void {
    const peers = this.#peers.get(topic);
    if (peers?.delete(peer) === true && peers.size === 0) this.#peers.delete(topic);
  }

  /** It is gone. */
  forget(peer: Peer): void {
    for (const topic of [...this.#peers.keys()]) this.delete(topic, peer);
  }

  /** All that are subscribed. */
  of(topic: string): Iterable<Peer> {
    return this.#peers.get(topic) ?? [];
  }
}
