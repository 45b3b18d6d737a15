#!/bin/sh
# Runs an example on the runtime that runs this script: `npm run` and `bun run` share the scripts of package.json, and each shall
# stay on its own runtime. The nearest ancestor tells which one that is; npm_config_user_agent does not, since Bun leaves it as it
# finds it, so that `npx bun run example` would run on Node.

here=$(dirname "$0")
pid=$PPID
while [ "$pid" -gt 1 ] && exe=$(readlink "/proc/$pid/exe"); do
  case ${exe##*/} in
    node | nodejs) break ;;
    bun | bun.exe) exec "$exe" "$here/run.ts" "$@" ;;
    deno) exec "$exe" run -A "$here/run.ts" "$@" ;;
  esac
  pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  exe=
done
# tsx is there for Node before 22.18, which does not run TypeScript. The warning would be about node:ffi.
exec "${exe:-node}" --disable-warning=ExperimentalWarning --import tsx "$here/run.ts" "$@"
