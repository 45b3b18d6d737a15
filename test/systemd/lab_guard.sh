#!/bin/sh
# Keeps one lab: starts it in a cgroup of its own, and removes every trace of
# it when it dies or when standard input ends. The driver's death ends standard
# input too, however it dies, so no test run can leave a lab behind.
#
# Runs in mount and cgroup namespaces of its own (see lab.ts). What it mounts
# is therefore seen by nobody else and goes with it, and its own cgroup2 mount
# neither depends on where the host has one nor resets the options of that one,
# as a second mount in the host's cgroup namespace would.
#
# usage: lab_guard.sh [HOST_DIR LAB_DIR]...
set -eu
umask 022
# The shell itself reports a killed job, which without a driver would end it
# before it has cleaned up.
trap : PIPE
here=$(cd "$(dirname "$0")" && pwd)

# /sys is the one folder that nobody binds into a lab.
base=/sys
mount -t tmpfs -o mode=755 fd3-lab "$base"
mkdir "$base/cgroup" "$base/up" "$base/work" "$base/root"
mount -t cgroup2 fd3-lab "$base/cgroup"

# systemd says on its console why it cannot start, and takes nothing but a
# terminal for one. script lends it a terminal and writes down what it says,
# until the shell in it is killed: killed itself, it would wait two seconds.
setpriv --pdeathsig KILL script -qfc \
  "echo \$\$ \$(tty) >$base/tty.new; mv $base/tty.new $base/tty; exec sleep infinity" \
  "$base/console" </dev/null >/dev/null &
console=$!
until read -r holder _ 2>/dev/null <"$base/tty"; do
  kill -0 "$console"
  sleep 0.002
done

# Only the lab itself joins the cgroup: a process that its systemd cannot see
# would keep it from handing controllers to its units (cgroups(7), "no internal
# processes").
cgroup=$(mktemp -d "$base/cgroup/fd3-lab-XXXXXXXX")
chmod 755 "$cgroup"
exec 3<&0
setpriv --pdeathsig KILL \
  unshare --pid --fork --kill-child --mount --uts --ipc --net sh -c \
  'echo 0 >"$0/cgroup.procs" && exec unshare --cgroup sh "$@"' \
  "$cgroup" "$here/lab_init.sh" "$base" "$@" 3<&- &
lab=$!

# PID 1 takes every process of its PID namespace with it, and unshare waits for
# it. Before there is a PID 1, --kill-child is what ends the lab.
(
  read -r _ <&3 || true
  read -r init <"$base/pid" || init=$lab
  kill -KILL "$init"
) >/dev/null 2>&1 &
lifeline=$!

wait "$lab" || true
kill "$lifeline" "$holder" 2>/dev/null || true
wait

# A cgroup can stay busy for a moment after its last process.
tries=0
until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 500 ]; then
    echo "Cannot remove cgroup ${cgroup##*/}: it is still in use" >&2
    exit 75
  fi
  sleep 0.01
done

sed '/^Script \(started\|done\) on /d' "$base/console" >&2
