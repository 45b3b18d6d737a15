import assert from "node:assert/strict";
import { writeCopy } from "./copies.ts";
import { eachVariant, type Stage, type Variant } from "./variants.ts";
import { someVariants } from "./web.ts";

const IDLE_MS = 30;
/** How often services go and come back, for each variant: 500 times in all. */
const cycles: Record<string, number> = { "Deno": 190, "Bun": 220, "Node 24": 50 };
const usual = 10;
const node = "/opt/fd3/test/runtimes/node_modules/node24/bin/node";
const targets = ["7201", "7202", "7203", "7204", "/run/idle5.sk", "/run/idle6.sk", "/run/idle7.sk", "/run/idle8.sk"];

const variants: readonly Variant[] = someVariants("daemon");
eachVariant(
  "daemon",
  { "services go when nobody needs them, and no client at a random moment is lost": cycle },
  variants,
);

async function cycle(stage: Stage): Promise<void> {
  const { lab, variant } = stage;
  const names = targets.map((target, i) => {
    const name = `idle${i + 1}`;
    const address = /^\d+$/.test(target) ? `127.0.0.1:${target}` : target;
    writeCopy(lab, { variant, name, address, service: [`Environment=IDLE_TIMEOUT=${IDLE_MS}`] });
    return name;
  });
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", ...names.map((name) => `${name}.socket`)]);
  // Each is started a first time.
  const goal = targets.length + (cycles[variant.name] ?? usual);
  const clients = [node, "/opt/fd3/test/systemd/fixtures/idle_clients.ts", String(IDLE_MS), String(goal), ...targets];
  const begin = Date.now();
  const { started, answered, failed } = JSON.parse(await lab.must(clients, { timeoutMs: 300_000 }));
  console.log(`${variant.name}: ${started} starts, ${answered} answers, ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  assert.deepEqual(failed, []);
  assert.ok(started >= goal, `${started} starts`);
  assert.equal(await lab.must(["systemctl", "--failed", "--plain", "--no-legend"]), "");
  // They went by themselves, and with exit status 0.
  for (const name of names) {
    const journal = await lab.journal(`${name}.service`);
    assert.doesNotMatch(journal, /Main process exited|Stopping|timed out|Failed/);
  }
}
