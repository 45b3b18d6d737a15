import assert from "node:assert/strict";
import { WebSocketClient } from "../fixtures/web_socket_client.ts";
import { until } from "./clients.ts";
import { eachVariantAbreast, property, setUp, type Stage } from "./variants.ts";
import { someVariants } from "./web.ts";

eachVariantAbreast("chat", {
  "the unit files pass systemd-analyze verify": verify,
  "the first visitor starts the service as shipped": shipped,
  "a restart sends those in the room away, and they come back to the next instance": restart,
}, someVariants("chat"));

const unit = "chat.service";
const show = (stage: Stage, name: string) => property(stage, unit, name);

async function verify({ lab }: Stage): Promise<void> {
  const result = await lab.run(["systemd-analyze", "verify", "chat.socket", unit]);
  assert.deepEqual(result, { status: 0, stdout: "", stderr: "" });
}

async function shipped(stage: Stage): Promise<void> {
  const { lab } = stage;
  await lab.must(["systemctl", "start", "chat.socket"]);
  assert.equal(await show(stage, "ActiveState"), "inactive");
  const curl = ["curl", "--silent", "--show-error", "--max-time", "60"];
  assert.match(await lab.must([...curl, "http://127.0.0.1:8082/"]), /<title>Chat<\/title>/);
  const refused = await lab.must([...curl, "--include", "http://127.0.0.1:8082/chat"]);
  assert.match(refused, /^HTTP\/1\.1 426 [^]*^upgrade: websocket\r$/im);
  await until("its status", async () => await show(stage, "StatusText") === "0 in the room", 30_000);
  assert.equal(await show(stage, "ActiveState"), "active");
  await lab.must(["systemctl", "stop", unit]);
  assert.equal(await show(stage, "Result"), "success", await lab.journal(unit));
}

async function restart(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await lab.must(["systemctl", "stop", "chat.socket", unit]);
  await setUp(stage, { socket: ["ListenStream=", `ListenStream=/run/chat.sk`] });
  const enter = async (name: string) => {
    const client = await WebSocketClient.open({ path }, `/chat?name=${name}`);
    assert.equal(await client.next(), `${name} comes in.`);
    return client;
  };
  const ann = await enter("Ann");
  await until("its status", async () => await show(stage, "StatusText") === "1 in the room", 30_000);
  const pid = await show(stage, "MainPID");
  const restarted = lab.must(["systemctl", "restart", unit], { timeoutMs: 60_000 });
  await ann.ended;
  assert.deepEqual(ann.closed, { code: 1001, reason: "" });
  const again = await enter("Ann");
  await restarted;
  assert.notEqual(await show(stage, "MainPID"), pid);
  const bob = await enter("Bob");
  assert.equal(await again.next(), "Bob comes in.");
  bob.send("hello");
  assert.equal(await again.next(), "Bob: hello");
  for (const client of [again, bob]) client.socket.destroy();
  assert.match(await lab.journal(unit), /fd3: stopping: 1 WebSocket open for 5 s: GET \/chat/);
}
