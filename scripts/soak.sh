#!/usr/bin/env bash
# Soaks the supervisor: random good and bad configs for one agent, while agents, supervisors, servers and connections are
# killed. Twenty minutes and 300 configs on a real Fluent Bit unless flags say otherwise (--minutes, --configs, --seed,
# --fake). Fails when anything is wrong at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
need_rust

if bin=$(find_fluent_bit); then export FLUENT_BIT_BIN="$bin"; fi
build tidegate-server tidegate-supervisor
arguments=(build --locked --quiet --package tidegate-testkit --bin tidegate-soak --bin fake-fluent-bit)
[ "${TIDEGATE_PROFILE:-release}" = release ] && arguments+=(--release)
cargo "${arguments[@]}"
exec "$(profile_dir)/tidegate-soak" "$@"
