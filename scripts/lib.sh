# What the scripts share. Sourced, not run.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Rust and a C compiler: SQLite is built from source.
need_rust() {
  command -v cargo >/dev/null || die "missing: cargo. Get Rust 1.95 or later from https://rustup.rs"
  local version
  version=$(rustc --version | awk '{print $2}')
  if [ "$(printf '1.95.0\n%s\n' "$version" | sort -V | head -n 1)" != "1.95.0" ]; then
    die "rustc $version is too old: 1.95 or later is needed (rustup update stable)"
  fi
  command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
    die "missing: a C compiler. On Debian and Ubuntu: apt-get install gcc libc6-dev"
}

# Prints the path of a Fluent Bit, or fails.
find_fluent_bit() {
  local candidate
  if [ -n "${FLUENT_BIT_BIN:-}" ]; then
    [ -x "$FLUENT_BIT_BIN" ] || die "FLUENT_BIT_BIN=$FLUENT_BIT_BIN is no program that can be run"
    printf '%s\n' "$FLUENT_BIT_BIN"
    return
  fi
  for candidate in "$(command -v fluent-bit || true)" /opt/fluent-bit/bin/fluent-bit /usr/bin/fluent-bit \
    /usr/local/bin/fluent-bit /usr/sbin/fluent-bit; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

# Where programs are built to: target/release, or target/debug with TIDEGATE_PROFILE=dev.
profile_dir() {
  local target=${CARGO_TARGET_DIR:-target}
  case "${TIDEGATE_PROFILE:-release}" in
    release) printf '%s/release\n' "$target" ;;
    dev) printf '%s/debug\n' "$target" ;;
    *) die "TIDEGATE_PROFILE is release or dev" ;;
  esac
}

# True where the console's tools are: Node 20.19 or later, with npm.
has_node() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(printf '20.19.0\n%s\n' "$(node --version | tr -d v)" | sort -V | head -n 1)" = "20.19.0" ]
}

# Builds the web console, unless what was built last is newer than all that it is made of. Fails where it cannot be built.
build_console() {
  local page=console/dist/app/index.html
  [ -f console/package.json ] || return 1
  [ "${TIDEGATE_BUILD:-}" != no ] || return 0
  if [ -f "$page" ] && [ -z "$(find console openapi.json -path console/node_modules -prune -o -path console/dist -prune \
    -o -path console/e2e -prune -o -path console/test-results -prune -o -type f -newer "$page" -print -quit)" ]; then
    return 0
  fi
  if ! has_node; then
    say "Node 20.19 or later with npm is not installed: the server is built without its web console."
    return 1
  fi
  npm --prefix console ci --no-audit --no-fund --loglevel=error >&2 && npm --prefix console run build >&2 ||
    { say "The web console could not be built: the server is built without it."; return 1; }
}

# build PACKAGE...: builds programs in the chosen profile, with the features of $build_features. TIDEGATE_BUILD=no takes
# those that lie there already.
build() {
  [ "${TIDEGATE_BUILD:-}" != no ] || return 0
  local arguments=(build --locked --quiet ${build_features:+--features "$build_features"}) package
  [ "${TIDEGATE_PROFILE:-release}" = release ] && arguments+=(--release)
  for package in "$@"; do arguments+=(--package "$package"); done
  cargo "${arguments[@]}"
}

# state_dir NAME: where a program keeps its state by default.
state_dir() { printf '%s/%s\n' "${XDG_STATE_HOME:-$HOME/.local/state}" "$1"; }

# alive PIDFILE PROGRAM: true when the process of that file still runs that program.
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ "$(readlink -f "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$(readlink -f "$2")" ]
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local tries=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}
