#!/bin/sh
# Builds the root of a lab and becomes its systemd. Runs as PID 1 of fresh
# namespaces, started by lab_guard.sh.
#
# usage: lab_init.sh BASE [HOST_DIR LAB_DIR]...
#
# FD3_LAB_ROOT is another system's root that the lab gets instead of the
# host's: see make_root.sh.
set -eu
umask 022
base=$1
shift

# /proc is still the host's, so this is the PID that the host sees.
read -r pid _ </proc/self/stat
echo "$pid" >"$base/pid"

# All that the lab writes stays in "up". Without that, systemd and its services
# would write to the host's disk.
mount -t overlay \
  -o "lowerdir=${FD3_LAB_ROOT:-/},upperdir=$base/up,workdir=$base/work" \
  fd3-lab "$base/root"
cd "$base/root"

mount -t proc -o nosuid,nodev,noexec fd3-lab proc
# Most of these belong to the machine and not to a namespace.
for shared in proc/sys proc/sysrq-trigger; do
  if [ -e "$shared" ]; then
    mount --bind "$shared" "$shared"
    mount -o remount,bind,ro "$shared"
  fi
done
mount -t sysfs -o nosuid,nodev,noexec,ro fd3-lab sys
mount -t cgroup2 -o nosuid,nodev,noexec fd3-lab sys/fs/cgroup
mount -t tmpfs -o nosuid,nodev,mode=755 fd3-lab run
mount -t tmpfs -o nosuid,nodev,mode=1777 fd3-lab tmp

mount -t tmpfs -o nosuid,mode=755 fd3-lab dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 fd3-lab dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 fd3-lab dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
: >dev/console
read -r _ terminal <"$base/tty"
mount --bind "$terminal" dev/console

# The host's configuration, enabled units and generators have no place in a
# test, and some of what the distribution starts (sysctl, udev, fstab) reaches
# for the machine itself. An empty unit file masks a unit (systemd.unit(5)).
mount -t tmpfs -o mode=755 fd3-lab etc/systemd
mkdir -p etc/systemd/system etc/systemd/journald.conf.d
for lib in usr/lib/systemd usr/local/lib/systemd; do
  if [ -d "$lib/system-generators" ]; then
    mount -t tmpfs -o mode=755 fd3-lab "$lib/system-generators"
  fi
  for unit in "$lib"/system/*.target.wants/*; do
    case ${unit##*/} in
      systemd-journald.service | systemd-journald.socket) ;;
      systemd-journald-dev-log.socket | dbus.socket | dbus.service) ;;
      *.target | '*') ;;
      *) : >"etc/systemd/system/${unit##*/}" ;;
    esac
  done
done
# A test wants every line, and there is no /dev/kmsg to read the kernel's from.
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n' \
  >etc/systemd/journald.conf.d/lab.conf
# Without a machine ID this would be a first boot, which enables the presets of
# the distribution.
rm -f etc/machine-id etc/hostname
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
echo lab >etc/hostname

while [ $# -gt 0 ]; do
  mkdir -p "./$2"
  mount --bind "$1" "./$2"
  mount -o remount,bind,ro "./$2"
  shift 2
done

# From here on no path leads to the host's tree.
pivot_root . .
umount -l .
# As on a machine, where systemd does it: the credentials of a service are
# mounted in a namespace and have to reach this one. The host's have been cut
# off before, so it shares with nobody else.
mount --make-rshared /
# lab.ts waits for this line.
echo "$pid"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  LANG=C.UTF-8 container=fd3-lab \
  /usr/lib/systemd/systemd --system --unit=basic.target --log-target=journal \
  --log-color=no --show-status=no </dev/null >/dev/console 2>&1
