#!/usr/bin/env bash
# Checks, builds and tests the web console.
#
#   scripts/console.sh         both of these
#   scripts/console.sh check   install, check, unit tests, build
#   scripts/console.sh e2e     tests in a browser, of what was built
#
# The browser is Chromium, at /usr/bin/chromium or where CHROMIUM_BIN says. Its tests run Tidegate's programs of the
# debug profile, or those in TIDEGATE_BIN_DIR, and a real Fluent Bit where FLUENT_BIT_BIN names one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
has_node || die "Node 20.19 or later with npm is needed: https://nodejs.org"

check() {
  npm --prefix console ci --no-audit --no-fund --loglevel=error
  npm --prefix console run --silent types:check ||
    die "console/src/api/schema.ts is not what openapi.json says: npm --prefix console run types"
  npm --prefix console run --silent check
  npm --prefix console run --silent test
  npm --prefix console run --silent build
  weigh
}

# What a page loads first, packed: what all share and the page itself. 200 kB at most, for the heaviest one.
weigh() {
  local file bytes shared=0 heaviest=0
  for file in console/dist/app/assets/*.js.gz; do
    bytes=$(wc -c <"$file")
    case "$file" in
      *Page-*) [ "$bytes" -le "$heaviest" ] || heaviest=$bytes ;;
      *Tab-*) ;;
      *) shared=$((shared + bytes)) ;;
    esac
  done
  echo "scripts, packed: $shared bytes for every page, and up to $heaviest of a page's own"
  [ "$heaviest" -gt 0 ] && [ $((shared + heaviest)) -le 204800 ] || die "that is more than 200 kB, or nothing was packed"
}

e2e() {
  local chromium=${CHROMIUM_BIN:-/usr/bin/chromium}
  if [ ! -x "$chromium" ]; then
    echo "skipped: no Chromium (set CHROMIUM_BIN to test the web console in it)"
    return
  fi
  if [ -z "${TIDEGATE_BIN_DIR:-}" ]; then
    TIDEGATE_PROFILE=dev build tidegate-server tidegate-supervisor tidegate-testkit
  fi
  CHROMIUM_BIN=$chromium npm --prefix console run --silent e2e
  echo "pictures of the pages are in console/e2e/artefacts"
}

case "${1:-}" in
  '')
    check
    e2e
    ;;
  check) check ;;
  e2e) e2e ;;
  *) die "usage: scripts/console.sh [check|e2e]" ;;
esac
