#!/usr/bin/env bash
# Builds and runs the supervisor in the foreground; arguments go to tidegate-supervisor.
# Without --binary it looks for a Fluent Bit in FLUENT_BIT_BIN, in PATH and in the packages' usual places.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
[ "$(uname -s)" = Linux ] || die "the supervisor runs on Linux so far"
need_rust
build tidegate-supervisor
arguments=()
case " $* " in
  *" --binary"* | *" --config"* | *" --help "* | *" --version "*) ;;
  *) if bin=$(find_fluent_bit); then arguments+=(--binary "$bin"); fi ;;
esac
exec "$(profile_dir)/tidegate-supervisor" "${arguments[@]}" "$@"
