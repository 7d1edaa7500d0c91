#!/usr/bin/env bash
# Everything on this machine: builds, then leaves a server and a supervisor running with a Fluent Bit under it.
#
#   scripts/run.sh          start what does not run, show the fleet
#   scripts/run.sh stop     stop the supervisor, its Fluent Bit and the server
#
# State is kept in $XDG_STATE_HOME/tidegate and $XDG_STATE_HOME/tidegate-supervisor (~/.local/state when unset).
# TIDEGATE_AGENT_CONFIG names another Fluent Bit config than examples/fluent-bit.yaml; TIDEGATE_AGENTS_PORT and
# TIDEGATE_OPERATORS_PORT other ports than 4320 and 4321, TIDEGATE_CHATOPS_PORT another than 8888;
# TIDEGATE_PROFILE=dev builds faster and runs slower.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

[ "$(uname -s)" = Linux ] || die "the supervisor runs on Linux so far; scripts/run_opamp_server.sh runs the server alone"
bin_dir=$(profile_dir)
server_dir=${TIDEGATE_SERVER_DATA_DIR:-$(state_dir tidegate)}
supervisor_dir=$(state_dir tidegate-supervisor)
config=${TIDEGATE_AGENT_CONFIG:-$PWD/examples/fluent-bit.yaml}
agents=127.0.0.1:${TIDEGATE_AGENTS_PORT:-4320}
operators=127.0.0.1:${TIDEGATE_OPERATORS_PORT:-4321}
chatops=${TIDEGATE_CHATOPS_PORT:-8888}
export TIDEGATE_SERVER_DATA_DIR=$server_dir

# start NAME DIR PROGRAM ARGUMENT...: in the background, its log and its pid in DIR.
start() {
  local name=$1 dir=$2 program=$3
  shift 3
  if alive "$dir/run.pid" "$program"; then
    say "$name runs already"
    return
  fi
  mkdir -p -m 700 "$dir"
  setsid nohup "$program" "$@" >>"$dir/run.log" 2>&1 </dev/null &
  printf '%s\n' "$!" >"$dir/run.pid"
}

# stop NAME DIR PROGRAM: asks it to end, and waits for it.
stop() {
  local name=$1 dir=$2 program=$3 pid
  alive "$dir/run.pid" "$program" || return 0
  pid=$(cat "$dir/run.pid")
  kill "$pid"
  gone() { ! alive "$dir/run.pid" "$program"; }
  wait_for 30 gone || die "$name (process $pid) does not end; its log is $dir/run.log"
  say "stopped $name"
}

if [ "${1:-}" = stop ]; then
  for dir in "$supervisor_dir" "$supervisor_dir"-simulated-*; do
    stop "the supervisor in $dir" "$dir" "$bin_dir/tidegate-supervisor"
  done
  stop "the server" "$server_dir" "$bin_dir/tidegate-server"
  exit 0
fi
[ $# -eq 0 ] || die "usage: scripts/run.sh [stop]"

need_rust
simulated=
if ! fluent_bit=$(find_fluent_bit); then
  simulated=1
  say "No fluent-bit was found in FLUENT_BIT_BIN, in PATH or in the packages' usual places."
  say "Install one with the packages of https://docs.fluentbit.io/manual/installation/downloads/linux and run this again."
  say "Until then SIMULATED agents run; they are labelled (simulated) everywhere."
  say ""
fi
say "building (the first time takes ten minutes and more on two cores; TIDEGATE_PROFILE=dev is faster) ..."
console=
if build_console; then
  console=tidegate-server/console
fi
build_features=$console
build tidegate-server tidegate-supervisor tidegate-cli ${simulated:+tidegate-testkit}

start "the server" "$server_dir" "$bin_dir/tidegate-server" --agents "$agents" --operators "$operators"
ready() { (exec 3<>"/dev/tcp/${operators%:*}/${operators#*:}") && alive "$server_dir/run.pid" "$bin_dir/tidegate-server"; }
wait_for 20 ready || die "the server did not start: $(tail -n 3 "$server_dir/run.log")"

# Metrics more often than by default, so that charts are seen to move.
common=(--endpoint "ws://$agents/v1/opamp" --kind fluent-bit --probation 2s --metrics-interval 10s
  --allow remote-config,restart,chatops,logs,dry-run,diagnostics)
# config_on PORT DIR: prints the config to run, with its ChatOps input on another port where that is asked for.
config_on() {
  if [ "$1" = 8888 ]; then
    printf '%s\n' "$config"
    return
  fi
  mkdir -p -m 700 "$2"
  sed "s/port: 8888/port: $1/" "$config" >"$2/fluent-bit.yaml"
  printf '%s\n' "$2/fluent-bit.yaml"
}
if [ -z "$simulated" ]; then
  expected=1
  start "the supervisor" "$supervisor_dir" "$bin_dir/tidegate-supervisor" "${common[@]}" \
    --agent-config "$(config_on "$chatops" "$supervisor_dir")" --binary "$fluent_bit" \
    --state-dir "$supervisor_dir" --chatops-port "$chatops"
else
  expected=3
  for number in 1 2 3; do
    dir=$supervisor_dir-simulated-$number
    port=$((chatops + number - 1))
    start "simulated agent $number" "$dir" "$bin_dir/tidegate-supervisor" "${common[@]}" \
      --binary "$bin_dir/fake-fluent-bit" --agent-config "$(config_on "$port" "$dir")" --state-dir "$dir" \
      --chatops-port "$port" --attribute tidegate.simulated=true --attribute "host.name=simulated-$number"
  done
fi

tidegate=$bin_dir/tidegate
count() { "$tidegate" get agents -q "connection:connected health:$1" -o name | wc -l; }
# An agent whose last config failed is degraded, and runs.
running() { [ $(($(count healthy) + $(count degraded))) -ge "$expected" ]; }
if ! wait_for 20 running; then
  say "not running within 20 seconds; the logs are $server_dir/run.log and $supervisor_dir*/run.log"
fi
"$tidegate" get agents
say ""
if [ -n "$console" ]; then
  say "The console, for one login within 15 minutes:"
  say "  $("$tidegate" login-link)"
  say ""
fi
say "The server and its agents go on running. Next:"
say "  export PATH=\"$(cd "$bin_dir" && pwd):\$PATH\""
say "  tidegate get agents"
say "  tidegate push examples/pushed.yaml -q 'name:*'"
say "  tidegate events -f"
say "  scripts/run.sh stop"
