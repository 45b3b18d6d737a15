import assert from "node:assert/strict";
import { eachVariant, serviceText, type Stage, unitText, type Variant } from "./variants.ts";
import { someVariants } from "./web.ts";

const IDLE_MS = 30;
/** How often services go and come back, for each variant. */
const cycles: Record<string, number> = { "Deno": 500, "Bun": 500, "Node 24": 500 };
const usual = 40;
const node = "/opt/fd3/test/runtimes/node_modules/node24/bin/node";
const targets = ["7201", "7202", "7203", "7204", "/run/idle5.sk", "/run/idle6.sk", "/run/idle7.sk", "/run/idle8.sk"];

const variants: readonly Variant[] = someVariants("daemon");
eachVariant(
  "daemon",
  { "services go when nobody needs them, and no client at a random moment is lost": cycle },
  variants,
);

/** The shipped service under another name, so that several run in one lab. */
function writeService({ lab, service, variant }: Stage, name: string, address: string): void {
  const socket = unitText("daemon.socket").replace(
    /^ListenStream=.*$/m,
    `ListenStream=${address}\nTriggerLimitIntervalSec=0`,
  );
  const text = serviceText({ service, variant })
    .replace("daemon.socket", `${name}.socket`)
    .replace("CacheDirectory=daemon", `CacheDirectory=${name}`)
    .replace("%C/daemon", `%C/${name}`)
    .replace("User=fd3-daemon", `User=fd3-${name}`);
  lab.writeUnit(`${name}.socket`, socket);
  lab.writeUnit(`${name}.service`, text);
  const own = ["[Unit]", "StartLimitIntervalSec=0", "[Service]", `Environment=IDLE_TIMEOUT=${IDLE_MS}`, ""];
  lab.writeUnit(`${name}.service.d/test.conf`, own.join("\n"));
}

async function cycle(stage: Stage): Promise<void> {
  const { lab, variant } = stage;
  const names = targets.map((target, i) => {
    writeService(stage, `idle${i + 1}`, /^\d+$/.test(target) ? `127.0.0.1:${target}` : target);
    return `idle${i + 1}`;
  });
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", ...names.map((name) => `${name}.socket`)]);
  const goal = cycles[variant.name] ?? usual;
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
