#!/bin/sh
# Keeps one lab: starts it in a cgroup of its own, and removes every trace of
# it when it dies or when standard input ends. The driver's death ends standard
# input too, however it dies, so no test run can leave a lab behind.
#
# Runs in mount and cgroup namespaces of its own. What it mounts is therefore
# seen by nobody else and goes with it, and a fresh cgroup2 mount here neither
# depends on where the host has its own nor resets the options of that one.
#
# usage: lab_guard.sh [HOST_DIR LAB_DIR]...
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)

# /sys is the one folder that no bind can come from.
base=/sys
mount -t tmpfs -o mode=755 fd3-lab "$base"
mkdir "$base/cgroup" "$base/up" "$base/work" "$base/root"
mount -t cgroup2 cgroup2 "$base/cgroup"
cgroup=$(mktemp -d "$base/cgroup/fd3-lab-XXXXXXXX")

# systemd says why it cannot start on a console or not at all, and takes only a
# terminal for one. script lends it a terminal and writes down what it says.
script -qfc "tty >$base/tty.new; mv $base/tty.new $base/tty; exec sleep infinity" \
  "$base/console" </dev/null >/dev/null 2>&1 &
console=$!
until [ -s "$base/tty" ]; do sleep 0.002; done

exec 3<&0
(
  exec 3<&-
  echo 0 >"$cgroup/cgroup.procs"
  exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net \
    sh "$here/lab_init.sh" "$base" "$@"
) &
lab=$!

# Killing PID 1 lets the kernel kill all others in its PID namespace first, and
# unshare then waits for it. Before there is a PID 1, --kill-child does it.
(
  read -r _ <&3 || true
  read -r init <"$base/pid" || init=$lab
  kill -KILL "$init"
) 2>/dev/null &
lifeline=$!

status=0
wait "$lab" || status=$?
kill "$lifeline" "$console" 2>/dev/null || true
cat "$base/console" >&2 || true

# A cgroup stays busy for a moment after its last process.
tries=0
until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 500 ]; then
    echo "Cannot remove the lab's cgroup: still busy: $(cat "$cgroup/cgroup.events")" >&2
    exit 1
  fi
  sleep 0.01
done
exit "$status"
