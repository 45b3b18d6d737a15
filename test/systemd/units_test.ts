import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { type Service, unitOf, variantsOf } from "./variants.ts";

test("every unit file is tested", () => {
  const services: Service[] = ["foobar", "http", "daemon", "durable", "chat"];
  const tested = services.flatMap((service) => [
    `${service}.socket`,
    ...variantsOf(service).map((variant) => unitOf({ service, variant })),
  ]);
  assert.deepEqual(readdirSync(new URL("../../examples/units", import.meta.url)).sort(), [...new Set(tested)].sort());
});
