#!/usr/bin/env bash
# Builds and runs the OpAMP server in the foreground; arguments go to tidegate-server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
need_rust
build tidegate-server
exec "$(profile_dir)/tidegate-server" "$@"
