// An echo daemon on fd 3 with nothing but Bun.listen().
if (Number(process.env.LISTEN_PID) !== process.pid || process.env.LISTEN_FDS !== "1") process.exit(1);
delete process.env.LISTEN_PID;
delete process.env.LISTEN_FDS;

function flush(socket) {
  while (socket.data.length > 0) {
    const taken = socket.write(socket.data[0]);
    if (taken < socket.data[0].length) {
      socket.data[0] = socket.data[0].subarray(Math.max(taken, 0));
      return;
    }
    socket.data.shift();
  }
}

const listener = Bun.listen({
  fd: 3,
  socket: {
    open(socket) {
      socket.data = [];
    },
    data(socket, chunk) {
      socket.data.push(chunk);
      if (socket.data.length === 1) flush(socket);
    },
    drain: flush,
  },
});
process.on("SIGTERM", () => listener.stop());
