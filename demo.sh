#!/usr/bin/env bash
# Builds Segue, puts it in front of two small shops, sends traffic and shows what was recorded.
set -euo pipefail
cd "$(dirname "$0")"

log=$PWD/build/demo.log
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
data=data/demo
bin=build/release/bin
mkdir -p build data
: >"$log"

trouble() {
  echo "demo.sh stopped: line $1. The end of $log:" >&2
  tail -n 20 "$log" >&2
}
trap 'trouble $LINENO' ERR

started=()
stop_all() {
  local group
  for group in "${started[@]}"; do kill -TERM -- "-$group" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# Starts a program in a process group of its own, with its output in the log.
start() {
  set -m
  "$@" >>"$log" 2>&1 &
  set +m
  started+=($!)
}

# Waits until something listens on a port of this machine; its program must be the last started.
await() {
  local port=$1
  for _ in $(seq 300); do
    (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
    kill -0 "${started[-1]}" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

say() { printf '\n== %s\n' "$*"; }

say "Building (details: build/demo.log)"
setup/packages.sh build demo >>"$log" 2>&1
{
  [ -e build/release/build.ninja ] || cmake --preset release
  cmake --build --preset release --target segue seguectl
} >>"$log" 2>&1

rm -rf "$data"
mkdir -p "$data"
node demo/free_ports.js PUBLIC PROBE LEGACY NEW >$data/ports
set -a
# shellcheck source=/dev/null
. $data/ports
set +a

say "Two shops: PHP with SQLite on port $DEMO_LEGACY_PORT, Node on port $DEMO_NEW_PORT"
export SHOP_DB=$PWD/$data/shop.sqlite PHP_CLI_SERVER_WORKERS=4
php demo/legacy/index.php >>"$log" 2>&1
start php -S "127.0.0.1:$DEMO_LEGACY_PORT" demo/legacy/index.php
await "$DEMO_LEGACY_PORT"
SHOP_PORT=$DEMO_NEW_PORT start node demo/new/server.js
await "$DEMO_NEW_PORT"

say "Segue in front of both on port $DEMO_PUBLIC_PORT: demo/segue.yaml"
start $bin/segue serve -c demo/segue.yaml
await "$DEMO_PUBLIC_PORT"
node demo/traffic.js

say "Where it went: seguectl cat --output json, counted"
source=journal:$data/journal
$bin/seguectl cat "$source" --output json >$data/exchanges.json
node demo/where_it_went.js $data/exchanges.json

say "The last ten: seguectl tail -n 10 $source"
$bin/seguectl tail -n 10 "$source"

failed=$($bin/seguectl cat "$source" --status 5xx --method POST --limit 1 --output json |
  sed -E 's/.*"id":"([^"]+)".*/\1/')
say "An order that failed: seguectl show $failed $source"
$bin/seguectl show "$failed" "$source"

say "All is stopped now; the record stays. Try next:"
cat <<TEXT
  $bin/seguectl show $failed $source --as curl
  $bin/seguectl cat $source --account dara --status 4xx
  env \$(cat $data/ports) $bin/segue routes explain -c demo/segue.yaml 'GET /search?q=a' -H 'x-beta: 1'
TEXT
