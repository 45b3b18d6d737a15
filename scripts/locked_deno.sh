#!/usr/bin/env bash
# Downloads the Deno that the tests ran on, without installing anything: the program's own package, compared with the lock file as npm ci does.
#
# usage: locked_deno.sh FILE
set -euo pipefail
cd "$(dirname "$0")/.."
package=@deno/linux-x64-glibc
locked() { node -p "require('./package-lock.json').packages['node_modules/$package'].$1"; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tarball=$folder/$(npm pack --silent --ignore-scripts --pack-destination "$folder" "$package@$(locked version)")
found=sha512-$(openssl dgst -sha512 -binary "$tarball" | base64 -w 0)
if [ "$found" != "$(locked integrity)" ]; then
  echo "Cannot use $package: expected $(locked integrity), found $found" >&2
  exit 1
fi
tar -xzf "$tarball" -C "$folder" package/deno
mv "$folder/package/deno" "$1"
