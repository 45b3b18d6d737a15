// FileDescriptorStorePreserve= is of systemd 254: with `yes` the store outlives a stop.
import assert from "node:assert/strict";
import { eachVariantAbreast, property, setUp, type Stage } from "../variants.ts";
import { get, someVariants } from "../web.ts";

eachVariantAbreast("durable", {
  "with FileDescriptorStorePreserve=yes the counter goes on after a stop, until systemctl clean": preserved,
}, someVariants("durable"));

const unit = "durable.service";

async function preserved(stage: Stage): Promise<void> {
  const { lab, path } = stage;
  await lab.must(["systemctl", "stop", "durable.socket", unit]);
  const socket = ["ListenStream=", "ListenStream=/run/durable.sk"];
  await setUp(stage, { socket, service: ["FileDescriptorStorePreserve=yes"] });
  const next = async () => (await get(path)).body;
  const stop = () => lab.must(["systemctl", "stop", unit], { timeoutMs: 60_000 });
  assert.equal(await next(), "1\n");
  await stop();
  assert.equal(await property(stage, unit, "NFileDescriptorStore"), "1");
  assert.equal(await next(), "2\n");
  await stop();
  await lab.must(["systemctl", "clean", "--what=fdstore", unit]);
  assert.equal(await property(stage, unit, "NFileDescriptorStore"), "0");
  assert.equal(await next(), "1\n");
}
