// A number in a memfd: memory with a descriptor, which the service manager can keep while the service is gone. No runtime makes one by
// itself, and Deno reads no descriptor that it did not open, so this calls libc: by the FFI that storeFd() needs, too.

/** Eight bytes in a memfd. Each call throws what the runtime's FFI says. */
export interface Memory {
  /** Makes a memfd of 0, and gives its descriptor. The name is for people, in /proc. */
  create(name: string): number;
  load(fd: number): bigint;
  store(fd: number, value: bigint): void;
}

type Native = (...args: (number | bigint | Uint8Array)[]) => number | bigint;
type Libc = Record<"memfd_create" | "pread" | "pwrite", Native>;

interface DenoFfi {
  dlopen(path: string, symbols: Record<string, { parameters: string[]; result: string }>): { symbols: Libc };
}

interface BunFfi {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): { symbols: Libc };
}

interface NodeFfi {
  dlopen(path: null, symbols: Record<string, { arguments: string[]; return: string }>): { functions: Libc };
}

interface Builtins {
  getBuiltinModule(id: "bun:ffi"): BunFfi;
  getBuiltinModule(id: "node:ffi"): NodeFfi | undefined;
}

const runtime = globalThis as unknown as { readonly Deno?: DenoFfi; readonly process: Builtins };
const library = "libc.so.6";

function openDeno({ dlopen }: DenoFfi): Libc {
  const transfer = { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" };
  const memfd_create = { parameters: ["buffer", "u32"], result: "i32" };
  return dlopen(library, { memfd_create, pread: transfer, pwrite: transfer }).symbols;
}

function openBun({ dlopen }: BunFfi): Libc {
  const transfer = { args: ["i32", "ptr", "u64", "i64"], returns: "i64" };
  return dlopen(library, { memfd_create: { args: ["ptr", "u32"], returns: "i32" }, pread: transfer, pwrite: transfer })
    .symbols;
}

function openNode({ dlopen }: NodeFfi): Libc {
  const transfer = { arguments: ["int32", "pointer", "uint64", "int64"], return: "int64" };
  const memfd_create = { arguments: ["pointer", "uint32"], return: "int32" };
  // null is the program itself, which has libc in it.
  return dlopen(null, { memfd_create, pread: transfer, pwrite: transfer }).functions;
}

async function openKoffi(): Promise<Libc> {
  const libc = (await import("koffi")).default.load(library);
  return {
    memfd_create: libc.func("int memfd_create(const void *name, unsigned int flags)"),
    pread: libc.func("int64_t pread(int fd, void *buffer, size_t count, int64_t offset)"),
    pwrite: libc.func("int64_t pwrite(int fd, const void *buffer, size_t count, int64_t offset)"),
  };
}

async function openLibc(): Promise<Libc> {
  if (runtime.Deno !== undefined) return openDeno(runtime.Deno);
  if ("Bun" in globalThis) return openBun(runtime.process.getBuiltinModule("bun:ffi"));
  const ffi = runtime.process.getBuiltinModule("node:ffi");
  return ffi === undefined ? await openKoffi() : openNode(ffi);
}

/** Calls that fail do not set errno where JavaScript could read it on each runtime, so it is left out. */
function check(action: string, result: number | bigint, expected?: number): number {
  const value = Number(result);
  if (value < 0 || (expected !== undefined && value !== expected)) {
    throw new Error(`Cannot ${action} a memfd: libc gave ${value}`);
  }
  return value;
}

/** Opens libc. */
export async function openMemory(): Promise<Memory> {
  const { memfd_create, pread, pwrite } = await openLibc();
  const MFD_CLOEXEC = 1;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  const store = (fd: number, value: bigint): void => {
    view.setBigUint64(0, value);
    check("write", pwrite(fd, bytes, 8n, 0n), 8);
  };
  return {
    create(name) {
      const fd = check("make", memfd_create(new TextEncoder().encode(`${name}\0`), MFD_CLOEXEC));
      store(fd, 0n);
      return fd;
    },
    load(fd) {
      check("read", pread(fd, bytes, 8n, 0n), 8);
      return view.getBigUint64(0);
    },
    store,
  };
}
