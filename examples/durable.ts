// A counter that outlives its service: it is in a memfd, which systemd keeps through `systemctl restart` and crashes
// (FileDescriptorStoreMax=). Only `systemctl stop` ends it.
//
//   durable.ts [ADDRESS]      default 127.0.0.1:8081
import { args, daemon, dropFd, storeFd, takeFd, unclaimedFds } from "../mod.ts";
import { type Memory, openMemory } from "./durable/memory.ts";

const name = "counter";

/** The memfd of the instance before, or a new one. */
async function counter(memory: Memory): Promise<number> {
  const kept = takeFd(name);
  if (kept !== undefined) return kept;
  const fd = memory.create(name);
  // A memfd is always ready: nothing to poll for.
  await storeFd(name, fd, { poll: false });
  return fd;
}

await daemon(async (context) => {
  const memory = await openMemory();
  const fd = await counter(memory);
  await context.serve(() => {
    // Written before it is answered: no client sees a number twice, however this process ends.
    const next = memory.load(fd) + 1n;
    memory.store(fd, next);
    return new Response(`${next}\n`, { headers: { "content-type": "text/plain" } });
  }, { fallback: args()[0] ?? "127.0.0.1:8081" });
  // What else there is, another version of this program stored.
  for (const left of unclaimedFds()) await dropFd(left);
  context.status(`${memory.load(fd)} when it started`);
});
