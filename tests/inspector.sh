#!/usr/bin/env bash
# Asks the MCP Inspector, a client that is not ours, whether the real binary serves both protocol eras:
# every tool's schema must be portable (--strict), and a few calls and resources must answer.
#
# Exit codes: 0 all passed · 1 a fault · 77 skipped, because npx cannot be had (an error when CI is set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

inspector=@modelcontextprotocol/inspector@2.12.0
node=node@22 # what the Inspector asks for; Debian's own may be older

skip() {
  printf '\n!! The MCP Inspector checks were SKIPPED: %s\n' "$*" >&2
  if [ -n "${CI:-}" ]; then echo "!! CI is set, so that is an error." >&2; exit 1; fi
  exit 77
}

if ! command -v npx >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Node.js (apt-get install nodejs npm)"
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; } ||
    echo "apt-get could not install it" >&2
fi
command -v npx >/dev/null || skip "npx is not installed (Debian: sudo apt-get install nodejs npm)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# npx costs a second each time, so it is asked once where it keeps the Inspector.
programs=$(npx -y -p "$node" -p "$inspector" -c 'dirname "$(command -v mcp-inspector)"' 2>"$work/npx.log") ||
  { cat "$work/npx.log" >&2; skip "npx could not get $inspector"; }

# As the tests build it: a plain `cargo build` has other features in play and would compile twice.
cargo test --locked --no-run --test it
server=${CARGO_TARGET_DIR:-target}/debug/opstables
database=sqlite://$work/inspector.db
OPSTABLES_DATABASE_URL=$database "$server" init >"$work/init.log" 2>&1 ||
  { cat "$work/init.log" >&2; echo "error: \`opstables init\` failed" >&2; exit 1; }

checks=0
# check ERA EXIT_CODE TEXT ARGUMENT… — the Inspector must exit so, and its output must contain TEXT.
check() {
  local era=$1 expected=$2 text=$3 status=0
  shift 3
  # All after `--` belongs to the server; the Inspector does not hand it our environment, hence -e.
  PATH=$programs:$PATH mcp-inspector --cli --protocol-era "$era" --format json "$@" \
    -e "OPSTABLES_DATABASE_URL=$database" -- "$server" serve --toolsets core,admin \
    >"$work/out" 2>"$work/err" </dev/null || status=$?
  checks=$((checks + 1))
  if [ "$status" -eq "$expected" ] && grep -qF -- "$text" "$work/out"; then
    printf 'ok    %-6s  %s\n' "$era" "$*"
    return
  fi
  printf 'FAIL  %-6s  %s\n' "$era" "$*"
  printf 'expected exit code %s and the text %s, got exit code %s and:\n' "$expected" "$text" "$status"
  head -c 20000 "$work/out" "$work/err"
  exit 1
}

call() { # ERA EXIT_CODE TEXT TOOL JSON
  check "$1" "$2" "$3" --method tools/call --tool-name "$4" --tool-args-json "$5"
}

for era in modern legacy; do
  check "$era" 0 '"name":"query_leads"' --method tools/list --strict
  call "$era" 0 '"structuredContent":' describe_tables '{}'
  call "$era" 0 '"structuredContent":{"status":"done"' save_leads '{"rows":[{"contact_name":"Ada Example","contact_email":"ada@example.com"}]}'
  call "$era" 0 'ada@example.com' query_leads '{"filters":[{"column":"contact_email","op":"equals","value":"ada@example.com"}]}'
  call "$era" 0 '"step":"table"' route_message '{"message":"how many leads came in this week","execute":true}'
  # A tool's refusal and an unknown tool both exit 5; only the refusal prints a result.
  call "$era" 5 '"isError":true' query_leads '{"filters":[{"column":"contact_emial","op":"equals","value":"x"}]}'
  check "$era" 0 'ops://tables' --method resources/list
  check "$era" 0 '"uriTemplate":"ops://tables/' --method resources/templates/list
  check "$era" 0 'leads' --method resources/read --uri ops://tables
done

echo "MCP Inspector: all $checks checks passed in both eras"
