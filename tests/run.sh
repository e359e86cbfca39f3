#!/usr/bin/env bash
# Runs every test: the suite on SQLite and on a throw-away PostgreSQL, then the MCP Inspector's checks.
#
#   bash tests/run.sh                   all of it
#   bash tests/run.sh --no-inspector    without the Inspector
#   bash tests/run.sh some_filter       other arguments go to `cargo test`
#
# OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres uses that server instead; its user must be
# allowed to create databases. Nothing is left behind: each test drops what it created.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

inspector=yes
cargo_args=()
for arg in "$@"; do
  if [ "$arg" = --no-inspector ]; then inspector=no; else cargo_args+=("$arg"); fi
done

say() { printf '\n== %s\n' "$*"; }
fail() { printf '\nerror: %s\n' "$*" >&2; exit 1; }

# --- PostgreSQL ---------------------------------------------------------------------------------

# Prints the folder of the newest installed server; Debian keeps it out of PATH.
find_server() {
  local folder
  while read -r folder; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then echo "$folder"; return; fi
  done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
           dirname "$(readlink -f "$(command -v initdb || echo /none/initdb)")")
  return 1
}

install_server() {
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo --non-interactive); fi
  if ! command -v apt-get >/dev/null || ! "${sudo[@]}" true 2>/dev/null; then
    fail "the PostgreSQL server is not installed; install it (Debian: sudo apt-get install postgresql)," \
         "or name a server: OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres bash tests/run.sh"
  fi
  say "Installing PostgreSQL, and strace for one test (apt-get install postgresql strace)"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql strace >/dev/null
}

# The server refuses to run as root, so root lends it the account that the package made.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

cluster=
stop_cluster() {
  [ -n "$cluster" ] || return 0
  as_owner "$bin/pg_ctl" stop -D "$cluster/data" -m immediate >/dev/null 2>&1 || true
  rm -rf "$cluster"
  cluster=
}
trap stop_cluster EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing can reserve a port for another program, so a taken one costs another try.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}

start_cluster() {
  cluster=$(mktemp -d /tmp/opstables-postgres.XXXXXX) # short: a socket's path has at most 107 bytes
  if [ "$(id -u)" -eq 0 ]; then chown postgres "$cluster"; fi
  # C.UTF-8 sorts by code point, as SQLite does, and still folds the case of every letter.
  as_owner "$bin/initdb" -D "$cluster/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$cluster/initdb.log" 2>&1 || { cat "$cluster/initdb.log" >&2; fail "initdb failed"; }
  as_owner tee -a "$cluster/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$cluster'
max_connections = 200
shared_buffers = 32MB
fsync = on
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  local port
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if as_owner "$bin/pg_ctl" start -D "$cluster/data" -w -t 60 -l "$cluster/data/server.log" \
        -o "-p $port" >/dev/null 2>&1; then
      export OPSTABLES_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
      return
    fi
  done
  cat "$cluster/data/server.log" >&2
  fail "PostgreSQL did not start"
}

if [ -n "${OPSTABLES_TEST_POSTGRES:-}" ]; then
  say "PostgreSQL: the server that OPSTABLES_TEST_POSTGRES names"
else
  bin=$(find_server) || { install_server; bin=$(find_server) || fail "PostgreSQL was installed but not found"; }
  start_cluster
  say "PostgreSQL: $("$bin/postgres" --version | sed 's/^[^0-9]*//'), throw-away, at $OPSTABLES_TEST_POSTGRES"
fi

# --- The tests ----------------------------------------------------------------------------------

say "cargo test --locked${cargo_args[*]:+ ${cargo_args[*]}}"
cargo test --locked ${cargo_args[@]+"${cargo_args[@]}"} || fail "the tests failed (above); the Inspector was not asked"

inspected="passed"
if [ "$inspector" = no ]; then
  inspected="not asked (--no-inspector)"
else
  status=0
  bash tests/inspector.sh || status=$?
  case $status in
    0) ;;
    77) inspected="SKIPPED (the message above says why)" ;;
    *) fail "the tests passed, but the MCP Inspector found faults (above)" ;;
  esac
fi

say "Done"
echo "tests          passed on SQLite and on PostgreSQL"
echo "MCP Inspector  $inspected"
