#!/bin/sh
# Builds the root of a lab and becomes its systemd. Runs in fresh namespaces,
# started by lab_guard.sh.
#
# usage: lab_init.sh BASE [HOST_DIR LAB_DIR]...
set -eu
umask 022
base=$1
shift

# The host's /proc is still mounted, so this is the PID that the host sees.
read -r pid _ </proc/self/stat
echo "$pid" >"$base/pid"

# Without the overlay, everything that systemd writes would land on the host.
mount -t overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" \
  fd3-lab "$base/root"
cd "$base/root"

mount -t proc -o nosuid,nodev,noexec proc proc
# Not all of /proc/sys belongs to a namespace: writes would change the host.
for shared in proc/sys proc/sysrq-trigger; do
  if [ -e "$shared" ]; then
    mount --bind "$shared" "$shared"
    mount -o remount,bind,ro "$shared"
  fi
done
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o nosuid,nodev,mode=755 run run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp tmp

mount -t tmpfs -o nosuid,mode=755 dev dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
: >dev/console
mount --bind "$(cat "$base/tty")" dev/console

# The host's own configuration, generators and enabled units have no place in a
# test, and some of them (sysctl, udev, fstab) reach for the machine itself.
mount -t tmpfs -o mode=755 etc-systemd etc/systemd
mkdir -p etc/systemd/system etc/systemd/journald.conf.d
for dir in usr/lib/systemd/system-generators lib/systemd/system-generators \
  usr/local/lib/systemd/system-generators; do
  if [ -d "$dir" ]; then mount -t tmpfs -o mode=755 none "$dir"; fi
done
for unit in lib/systemd/system/*.target.wants/* usr/lib/systemd/system/*.target.wants/*; do
  case ${unit##*/} in
    systemd-journald.service | systemd-journald.socket | systemd-journald-dev-log.socket) ;;
    *.target | '*') ;;
    *) ln -sf /dev/null "etc/systemd/system/${unit##*/}" ;;
  esac
done
# No /dev/kmsg here, and every line of a test counts.
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n' \
  >etc/systemd/journald.conf.d/lab.conf
# An empty one would make this a first boot, which enables the distribution's
# presets.
rm -f etc/machine-id etc/hostname
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
echo lab >etc/hostname
: >etc/fstab

while [ $# -gt 0 ]; do
  mkdir -p "./$2"
  mount --bind "$1" "./$2"
  mount -o remount,bind,ro "./$2"
  shift 2
done

# From here on no path leads to the host's tree.
pivot_root . .
umount -l .
echo "$pid"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  LANG=C.UTF-8 container=fd3-lab \
  /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no \
  </dev/null >/dev/console 2>&1
