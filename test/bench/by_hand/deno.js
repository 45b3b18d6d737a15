// An echo daemon on fd 3 with nothing but Deno.*: the least transplant there is, for x86-64 and a Unix socket.
const bytes = (array) => new Uint8Array(array.buffer);
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

function inherited() {
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
    epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    open: { parameters: ["buffer", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  });
  const path = `\0by-hand-${Deno.pid}`;
  const listener = Deno.listen({ transport: "unix", path });
  const nameOf = (fd) => {
    const [address, length] = [new Uint8Array(128), Uint32Array.of(128)];
    return libc.getsockname(fd, address, bytes(length)) === 0 ? decoder.decode(address.subarray(2, length[0])) : "";
  };
  let fd = 4;
  while (nameOf(fd) !== path) fd++;
  const line = new RegExp(`tfd: +${fd} events: +(\\w+) data: +(\\w+)`);
  for (let epoll = 4; epoll < 64; epoll++) {
    const file = libc.open(encoder.encode(`/proc/self/fdinfo/${epoll}\0`), 0o2000000);
    const text = new Uint8Array(4096);
    const found = file < 0 ? null : line.exec(decoder.decode(text.subarray(0, libc.read(file, text, text.length))));
    if (found === null) continue;
    const event = new DataView(new ArrayBuffer(12));
    event.setUint32(0, Number.parseInt(found[1], 16), true);
    event.setBigUint64(4, BigInt(`0x${found[2]}`), true);
    libc.fcntl(3, 4, libc.fcntl(3, 3, 0) | 0o4000);
    libc.dup3(3, fd, 0o2000000);
    libc.epoll_ctl(epoll, 1, fd, bytes(event));
    return listener;
  }
}

async function echo(conn) {
  const buffer = new Uint8Array(65536);
  let n;
  while ((n = await conn.read(buffer)) !== null) {
    for (let at = 0; at < n;) at += await conn.write(buffer.subarray(at, n));
  }
  conn.close();
}

if (Number(Deno.env.get("LISTEN_PID")) !== Deno.pid || Deno.env.get("LISTEN_FDS") !== "1") Deno.exit(1);
for (const name of ["LISTEN_PID", "LISTEN_FDS"]) Deno.env.delete(name);
const listener = inherited();
Deno.addSignalListener("SIGTERM", () => listener.close());
for await (const conn of listener) echo(conn).catch(() => {});
