#!/usr/bin/env bash
# Checks everything: format, lints, licences, tests, documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
need_rust

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --all-features --locked --quiet -- -D warnings

step "licences and bans"
if command -v cargo-deny >/dev/null; then
  cargo deny --all-features --log-level error check bans licenses sources
else
  echo "skipped: cargo-deny is not installed (cargo install cargo-deny --locked)"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

step "web console"
console=
if has_node; then
  console=1
  NO_COLOR=1 scripts/console.sh check 2>&1 | tee -a "$log" || status=$?
else
  echo "skipped: no Node 20.19 or later with npm (the web console is not tested)" | tee -a "$log"
fi

step "tests"
if bin=$(find_fluent_bit); then
  echo "with the real Fluent Bit at $bin"
  export FLUENT_BIT_BIN="$bin"
else
  echo "skipped: no fluent-bit (set FLUENT_BIT_BIN to run the tests against a real one as well)"
fi
# They wait for processes and sockets more than they compute.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}
echo "with OpAMP clients of others where go, python3 and node with npm are installed (docs/interop.md)"
cargo test --workspace --all-features --locked --no-fail-fast 2>&1 | tee -a "$log" || status=$?

# Beside the browser, which leaves a core idle.
documented=$(mktemp)
trap 'rm -f "$log" "$documented"' EXIT
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet >"$documented" 2>&1 &
documenting=$!

# The programs lie where the tests have left them, built with every feature.
step "web console in a browser"
if [ -n "$console" ]; then
  TIDEGATE_BIN_DIR=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd) NO_COLOR=1 scripts/console.sh e2e 2>&1 |
    tee -a "$log" || status=$?
fi

step "conformance"
"${CARGO_TARGET_DIR:-target}/debug/conformance" --check "$log" || status=$?

step "documentation"
wait "$documenting" || status=$?
cat "$documented"

printf '\n'
grep '^skipped: ' "$log" | sort -u || true
# Three kinds of lines: cargo's, vitest's ("Tests  1 failed | 68 passed (69)") and Playwright's ("  20 passed (1.5m)").
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     /^ +Tests +[0-9]/ || /^ +[0-9]+ (passed|failed|flaky|skipped|did not run)/ {
       for (at = 2; at <= NF; at++) {
         if ($at == "passed") passed += $(at - 1)
         if ($at == "failed" || $at == "flaky") failed += $(at - 1)
         if ($at == "skipped" || $at == "did") ignored += $(at - 1)
       }
     }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$log"
[ "$status" -eq 0 ] || say "failed: see above"
exit "$status"
