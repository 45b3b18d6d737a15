/** Inherited TCP sockets under a sandbox that lets nobody open one: RestrictAddressFamilies= of systemd.exec(5). */

import assert from "node:assert/strict";
import { greet, show, start, unit } from "./greeter.ts";
import { eachVariant, property, setUp, type Stage, type Variant, variantsOf } from "./variants.ts";

/** What a service of this variant says, of those whose own server needs a socket of its own for that. */
function engineUnder({ runtime, ffi }: Variant): { engine: string; warns: boolean } {
  return { engine: "node-http", warns: ffi && runtime !== "node" };
}

const curl = ["curl", "--silent", "--show-error", "--max-time", "60"];

/** Six requests on two connections, and a stop amid a slow answer. */
async function serves(stage: Stage, families: string, script?: string): Promise<string> {
  const { lab } = stage;
  const service = ["RestrictAddressFamilies=", `RestrictAddressFamilies=${families}`];
  await setUp(stage, script === undefined ? { service } : { script, service });
  const about = "http://127.0.0.1:8080/about";
  for (let connection = 0; connection < 2; connection++) {
    const answers = await lab.must([...curl, about, about, about]);
    assert.equal(answers.split('"activated":true').length, 4, answers);
  }
  const answer = await lab.must([...curl, about]);
  const pid = await property(stage, "http.service", "MainPID");
  await lab.must(["systemctl", "stop", "http.service"], { timeoutMs: 60_000 });
  assert.equal(await property(stage, "http.service", "Result"), "success");
  assert.notEqual(pid, "0");
  return answer;
}

/** How often it was said until now that serving is slow. */
async function warnings({ lab }: Stage): Promise<number> {
  const journal = await lab.journal("http.service");
  return journal.split("fd3: serves with node-http, which is slower than").length - 1;
}

/** Each runtime once: without its own server a runtime has no more ways than one. */
const all = variantsOf("http").filter(({ name }) => ["Deno", "Bun", "Node 24"].includes(name));

eachVariant(
  "http",
  Object.fromEntries(["AF_UNIX", "none"].map((families) => [
    `serve() answers on an inherited TCP socket under RestrictAddressFamilies=${families}, and says once if that is slow`,
    async (stage: Stage) => {
      const { engine, warns } = engineUnder(stage.variant);
      const before = await warnings(stage);
      assert.equal(JSON.parse(await serves(stage, families)).engine, engine);
      assert.equal(await warnings(stage) - before, warns ? 1 : 0, await stage.lab.journal("http.service"));
    },
  ])),
  all,
);

eachVariant("http", {
  "attach() answers on an inherited TCP socket under RestrictAddressFamilies=none": async (stage) => {
    await serves(stage, "none", "test/systemd/fixtures/attached_about.ts");
    assert.doesNotMatch(await stage.lab.journal("http.service"), /Error/);
  },
}, all);

eachVariant("daemon", {
  "daemon() serves on an inherited TCP socket under RestrictAddressFamilies=AF_UNIX, and says once if that is slow":
    async (
      stage: Stage,
    ) => {
      const { lab, variant } = stage;
      await greet(stage, "Hello");
      // AF_UNIX is what the notify protocol itself needs.
      const service = [
        "RestrictAddressFamilies=",
        "RestrictAddressFamilies=AF_UNIX",
        "Environment=GREETING_FILE=/etc/daemon/greeting",
      ];
      await setUp(stage, { service });
      await start(stage);
      assert.equal(await show(stage, "ActiveState"), "active");
      assert.equal(await lab.must([...curl, "http://127.0.0.1:8080/"]), "Hello\n1\n");
      await lab.must(["systemctl", "stop", unit], { timeoutMs: 60_000 });
      assert.equal(await show(stage, "Result"), "success");
      const said = (await lab.journal(unit)).split("which is slower than").length - 1;
      assert.equal(said, engineUnder(variant).warns ? 1 : 0);
    },
}, variantsOf("daemon").filter(({ name }) => ["Deno", "Bun", "Node 24"].includes(name)));

eachVariant("http", {
  "listen() and serve() say which line of the unit forbids a fallback, in the same words": async (stage) => {
    const { lab } = stage;
    const service = ["Type=oneshot", "Restart=no", "RestrictAddressFamilies=", "RestrictAddressFamilies=AF_UNIX"];
    await setUp(stage, { script: "test/systemd/fixtures/openers.ts", denoFlags: "--allow-net", service });
    await lab.must(["systemctl", "start", "http.service"], { timeoutMs: 60_000 });
    const journal = await lab.journal("http.service");
    const [line] = /^\[".*"\]$/m.exec(journal) ?? assert.fail(journal);
    const why = "address family not supported; RestrictAddressFamilies= of the unit must name it";
    const text = (address: string) => `EAFNOSUPPORT: Cannot listen on ${address}: ${why}`;
    const wanted = ["127.0.0.1:0", "[::1]:0"].flatMap((address) => [text(address), text(address)]);
    assert.deepEqual(JSON.parse(line), wanted);
  },
}, all);
