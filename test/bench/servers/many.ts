// Adopts every descriptor, and tells how long that took.
import { readFileSync } from "node:fs";
import { exit, listen, listenFds } from "../../../mod.ts";

const begin = performance.now();
const fds = listenFds();
const read = performance.now();
for (const { name } of fds) await listen({ name });
const adopted = performance.now();
const residentKiB = Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]);
console.log(JSON.stringify({ readUs: (read - begin) * 1e3, adoptUs: (adopted - read) * 1e3, residentKiB }));
exit(0);
