/**
 * The runtimes under test, and their labs: an example's units in them as they are shipped, at the paths that these name.
 */

import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { boot, type Lab } from "./lab.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const inLab = "/opt/fd3";
const compiler = `${inLab}/node_modules/bun/bin/bun.exe`;
const nodeOf = (major: number) => `${inLab}/test/runtimes/node_modules/node${major}/bin/node`;

/** A runtime and how it is started. */
export interface Variant {
  readonly name: string;
  readonly runtime: "deno" | "bun" | "node";
  /** Whether it can call libc. */
  readonly ffi: boolean;
  /** Its part of the name of a file in examples/units, such as foobar-deno.service. */
  readonly flavor: string;
  /** The program that the unit starts. */
  readonly program: string;
  /** Where that program is in the lab: it becomes a link to this. Without one the program is compiled. */
  readonly executable?: string;
  /** How its unit differs from the shipped one. */
  readonly adjust?: (unit: string) => string;
}

const deno = { runtime: "deno", program: "/usr/bin/deno", executable: `${inLab}/node_modules/deno/deno` } as const;
const bun = { runtime: "bun", ffi: true } as const;
const node = { runtime: "node", ffi: true, program: "/usr/bin/node" } as const;

/** All of them. */
const variants: readonly Variant[] = [
  { ...deno, name: "Deno", ffi: true, flavor: "deno" },
  { ...deno, name: "Deno without FFI", ffi: false, flavor: "deno-portable" },
  { ...bun, name: "Bun", flavor: "bun", program: "/usr/bin/bun", executable: compiler },
  { ...bun, name: "Bun, compiled", flavor: "bun-compiled", program: "/usr/local/bin/foobard" },
  { ...node, name: "Node 20", flavor: "node20", executable: nodeOf(20) },
  { ...node, name: "Node 22", flavor: "node", executable: nodeOf(22) },
  { ...node, name: "Node 24", flavor: "node", executable: nodeOf(24) },
  { ...node, name: "Node 26", flavor: "node", executable: nodeOf(26) },
];

/** The examples that have units. */
export type Service = "foobar" | "http" | "daemon" | "durable" | "chat";

/** The program of each. */
const scripts: Record<Service, string> = {
  foobar: "examples/foobard.ts",
  http: "examples/http.ts",
  daemon: "examples/daemon.ts",
  durable: "examples/durable.ts",
  chat: "examples/chat.ts",
};

/** How its socket and service differ from what is shipped. */
export interface Setup {
  /** Another program than the example, from the project's folder. */
  readonly script?: string;
  /** More permissions for Deno. */
  readonly denoFlags?: string;
  /** More lines for `[Service]`. */
  readonly service?: readonly string[];
  /** More lines for `[Socket]`. */
  readonly socket?: readonly string[];
}

/** A variant in its lab. */
export interface Stage {
  readonly service: Service;
  readonly variant: Variant;
  readonly lab: Lab;
  /** A Unix socket of the service, as the driver reaches it: a path leads to a Unix socket from every network namespace. */
  readonly path: string;
}

/** The name of the shipped service. */
export function unitOf({ service, variant }: Pick<Stage, "service" | "variant">): string {
  return `${service}-${variant.flavor}.service`;
}

/** The variants that the service has units for. */
export function variantsOf(service: Service): readonly Variant[] {
  return variants.filter((variant) => existsSync(`${project}/examples/units/${unitOf({ service, variant })}`));
}

/** The text of a shipped unit file. */
export function unitText(name: string): string {
  return readFileSync(`${project}/examples/units/${name}`, "utf8");
}

/** The service as it is shipped, but for what the variant adjusts. */
export function serviceText(stage: Pick<Stage, "service" | "variant">): string {
  const shipped = unitText(unitOf(stage));
  return stage.variant.adjust?.(shipped) ?? shipped;
}

/** The shipped `ExecStart=` line with another program; a compiled one is compiled first. */
export async function execStart(stage: Stage, script: string, denoFlags = ""): Promise<string> {
  const { service, variant, lab } = stage;
  const [shipped] = /^ExecStart=.*$/m.exec(serviceText(stage))!;
  if (variant.executable !== undefined) {
    return shipped.replace(scripts[service], script).replace("--no-prompt", `--no-prompt ${denoFlags}`.trim());
  }
  const program = `/usr/local/bin/${basename(script, ".ts")}`;
  await lab.must([compiler, "build", "--compile", `${inLab}/${script}`, "--outfile", program]);
  return `ExecStart=${program}`;
}

/** Stops what an earlier test left, and starts the socket as a setup says. */
export async function setUp(stage: Stage, { script, denoFlags, service = [], socket = [] }: Setup = {}): Promise<void> {
  const { lab, service: name } = stage;
  await lab.must(["systemctl", "stop", `${name}*`]);
  await lab.run(["systemctl", "reset-failed", `${name}*`]);
  const exec = script === undefined ? [] : ["ExecStart=", await execStart(stage, script, denoFlags)];
  // The tests start it more often than five times in ten seconds, which systemd takes for a crash loop.
  const limits = { service: "[Unit]\nStartLimitIntervalSec=0", socket: "TriggerLimitIntervalSec=0" };
  lab.writeUnit(`${name}.service.d/test.conf`, [limits.service, "[Service]", ...exec, ...service, ""].join("\n"));
  lab.writeUnit(`${name}.socket.d/test.conf`, ["[Socket]", limits.socket, ...socket, ""].join("\n"));
  await lab.must(["systemctl", "daemon-reload"]);
  await lab.must(["systemctl", "start", `${name}.socket`]);
}

/** A property of a unit, see org.freedesktop.systemd1(5). */
export async function property({ lab }: Stage, unit: string, name: string): Promise<string> {
  return (await lab.must(["systemctl", "show", "--value", `--property=${name}`, unit])).trim();
}

/** The CPU time of a unit so far, in seconds. */
export async function cpuSeconds(stage: Stage, unit: string): Promise<number> {
  return Number(await property(stage, unit, "CPUUsageNSec")) / 1e9;
}

async function bootVariant(service: Service, variant: Variant): Promise<Stage> {
  const lab = await boot({ binds: { [project]: inLab } });
  const stage = { service, variant, lab, path: `${lab.root}/run/${service}.sk` };
  try {
    if (variant.executable === undefined) await execStart(stage, scripts[service]);
    else await lab.must(["ln", "-sfn", variant.executable, variant.program]);
    lab.writeUnit(`${service}.socket`, unitText(`${service}.socket`));
    lab.writeUnit(`${service}.service`, serviceText(stage));
    await lab.must(["systemctl", "daemon-reload"]);
    return stage;
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

/** Runs these tests with every variant that the service has units for, or with some, one lab for each. */
export function eachVariant(
  service: Service,
  tests: Readonly<Record<string, (stage: Stage) => Promise<void>>>,
  which: readonly Variant[] = variantsOf(service),
): void {
  for (const variant of which) {
    // One after the other in a lab, also where labs are abreast.
    suite(variant.name, { concurrency: 1 }, () => {
      let stage: Stage | undefined;
      before(async () => void (stage = await bootVariant(service, variant)));
      after(() => stage?.lab.stop());
      for (const [name, run] of Object.entries(tests)) test(name, () => run(stage!));
    });
  }
}

/** The same with three labs at a time, for tests that wait more than they work. */
export function eachVariantAbreast(...args: Parameters<typeof eachVariant>): void {
  suite(args[0], { concurrency: 3 }, () => eachVariant(...args));
}
