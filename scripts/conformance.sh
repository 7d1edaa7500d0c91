#!/usr/bin/env bash
# Rewrites docs/conformance.md from a run of the tests: of one that is over, if its output is given as a file, or of a new
# one of everything that holds a row.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
need_rust

log=${1:-}
if [ -z "$log" ]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  status=0
  cargo test --workspace --all-features --locked --no-fail-fast 2>&1 | tee "$log" || status=$?
  [ "$status" -eq 0 ] || say "some tests failed: the document will say so of their rows"
fi
cargo run --locked --quiet -p tidegate-testkit --bin conformance -- --write "$log"
