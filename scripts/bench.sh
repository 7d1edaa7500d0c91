#!/usr/bin/env bash
# Measures the figures of server and supervisor on this machine; docs/benchmarks.md tells what they mean. BENCH_QUICK=1 makes it short.
# --micro runs the micro-benchmarks instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
need_rust

if [ "${1:-}" = --micro ]; then
  shift
  exec cargo bench --locked --package tidegate-opamp --package tidegate-fleet --bench codec --bench session --bench query -- "$@"
fi
[ $# -eq 0 ] || die "usage: scripts/bench.sh [--micro [criterion's arguments]]; the rest is set by BENCH_… variables"

cargo build --release --locked --quiet --package tidegate-server --package tidegate-testkit \
  --bin tidegate-server --bin tidegate-swarm --bin tidegate-bench --bin fake-fluent-bit
# As it is shipped: apart from the others, whose features it does not need, and for size.
cargo build --profile small --locked --quiet --package tidegate-supervisor
cp "${CARGO_TARGET_DIR:-target}/small/tidegate-supervisor" "$(profile_dir)/"
if fluent_bit=$(find_fluent_bit); then export FLUENT_BIT_BIN="$fluent_bit"; fi

# The state lies on the disk that the build lies on: /tmp may be memory, and then nothing would be written.
dir=$(mktemp -d "${BENCH_DIR:-$(profile_dir)}/bench.XXXXXX")
pid=
cleanup() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
BENCH_DIR=$dir "$(profile_dir)/tidegate-bench" &
pid=$!
status=0
wait "$pid" || status=$?
pid=
exit "$status"
