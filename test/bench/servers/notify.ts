// Sends messages to the service manager, and tells what that took: `notify.ts COUNT`.
import { args, capabilities, exit, notify } from "../../../mod.ts";

const count = Number(args()[0]);
const begin = performance.now();
await notify({ ready: true });
const firstMs = performance.now() - begin;

async function microseconds(send: () => Promise<boolean>): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < count; i++) await send();
  return (performance.now() - from) * 1000 / count;
}

const statusUs = await microseconds(() => notify({ status: "so many requests until now" }));
const pingUs = await microseconds(() => notify({ watchdog: "ping" }));
const { transport } = await capabilities();
console.log(JSON.stringify({ transport, firstMs, statusUs, pingUs }));
exit(0);
