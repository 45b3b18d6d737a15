#!/bin/sh
# Makes the root of a Debian trixie, whose systemd (257) the end-to-end suites
# boot beside the host's: `sh test/systemd/make_root.sh`, as root. It needs
# debootstrap and the Debian archive's keys, takes a minute and 300 MB, and
# does nothing if the root is there already.
#
# usage: make_root.sh [FOLDER]
set -eu
umask 022
root=${1:-/var/cache/fd3-test/trixie}
packages=systemd,dbus,socat,curl,procps,iproute2,libatomic1
# Written at the end. It says what is in the root: another list makes another.
marker=$root/.fd3-complete

is_complete() { [ "$(cat "$marker" 2>/dev/null)" = "$packages" ]; }

mkdir -p "$(dirname "$root")"
# One at a time: a second run finds what the first has made.
exec 9>"$root.lock"
flock 9
if is_complete; then exit 0; fi

# What a run left that was killed.
rm -rf --one-file-system "$root".new.*
new=$(mktemp -d "$root.new.XXXXXXXX")
chmod 755 "$new"

# The mirror that apt uses, if this is a Debian, and apt's proxy.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(SITE)' 'Created-By: Packages' |
  sed -n 's/^Debian [a-z]* //p' | head -n 1)
eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
export http_proxy="${http_proxy:-}"
# What it mounts in there goes with its namespace, also if it is killed.
unshare --mount debootstrap --variant=minbase --force-check-gpg \
  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
  --include="$packages" trixie "$new" "${mirror:-http://deb.debian.org/debian}"
rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
echo "$packages" >"$new/${marker##*/}"

# A root of an earlier list may be in use: its labs keep what they have mounted.
if [ -e "$root" ]; then mv -T "$root" "$root.new.old"; fi
mv -T "$new" "$root"
rm -rf "$root.new.old"
