#!/usr/bin/env bash
# Builds Segue, puts it in front of two small shops, sends traffic and shows what was recorded.
#   ./demo.sh            records to the journal
#   ./demo.sh --kafka    and from there to a real Kafka broker, which is fetched once (about 60 MB)
set -euo pipefail
cd "$(dirname "$0")"

with_kafka=
case ${1:-} in
  '') ;;
  --kafka) with_kafka=yes ;;
  *) sed -n '2,4s/^# //p' "$0"; exit 2 ;;
esac

log=$PWD/build/demo.log
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
data=data/demo
bin=build/release/bin
config=demo/segue.yaml
broker=$PWD/$data/kafka
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
  [ ! -e "$broker" ] || tests/support/stack/kafka.sh destroy "$broker" >>"$log" 2>&1 || true
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
[ -e build/release/build.ninja ] || cmake --preset release >>"$log" 2>&1
cmake --build --preset release --target segue seguectl >>"$log" 2>&1

[ ! -e "$broker" ] || tests/support/stack/kafka.sh destroy "$broker" # of a demo that was cut short
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

if [ -n "$with_kafka" ]; then
  say "A Kafka broker, fetched once; its topic made by seguectl topics ensure"
  setup/packages.sh kafka >>"$log" 2>&1
  brokers=$(tests/support/stack/kafka.sh start "$broker" -o $$ 2>>"$log")
  config=$data/segue.yaml
  # The demo's configuration, and where to publish.
  sed -e "s|^recorder:|&\n  kafka: { brokers: [\"$brokers\"], topic: shop.exchanges }|" \
    -e "s|\.\./data/demo/journal|journal|" -e "s|\.\./data/demo/archive|archive|" demo/segue.yaml >"$config"
  $bin/seguectl topics ensure -c "$config" --partitions 3 --yes
fi

say "Segue in front of both on port $DEMO_PUBLIC_PORT: $config"
start $bin/segue serve -c "$config" --archive
await "$DEMO_PUBLIC_PORT"
node demo/traffic.js

say "Where it went: seguectl cat --kind primary --output json, counted"
source=journal:$data/journal
$bin/seguectl cat "$source" --kind primary --output json >$data/exchanges.json
node demo/where_it_went.js $data/exchanges.json

say "The last ten: seguectl tail -n 10 $source --kind primary"
$bin/seguectl tail -n 10 "$source" --kind primary

failed=$($bin/seguectl cat "$source" --status 5xx --method POST --account dara --limit 1 --output json |
  sed -E 's/.*"id":"([^"]+)".*/\1/')
say "An order that failed: seguectl show $failed $source"
$bin/seguectl show "$failed" "$source"

say "Pages of products were copied to the new shop. Does it say the same? seguectl compare $source -c $config --route product"
$bin/seguectl compare "$source" -c "$config" --route product || [ $? -eq 1 ] # 1: it found something

sql="SELECT route, backend, count(*) AS requests, count(*) FILTER (status >= 500) AS failed,
  median(latency_us) AS median_us FROM exchanges WHERE kind = 'PRIMARY' GROUP BY ALL ORDER BY ALL"
say "By SQL, over the archive and what is still in the journal alone: seguectl query -c $config \"$sql\""
$bin/seguectl query -c "$config" "$sql"

if [ -n "$with_kafka" ]; then
  say "In Kafka too: seguectl lag"
  # The publisher is milliseconds behind the journal.
  for _ in $(seq 50); do
    $bin/seguectl lag -c "$config" --max 0 >$data/lag && break
    sleep 0.2
  done
  cat $data/lag
  say "The last five of its topic: seguectl tail -n 5 kafka://$brokers/shop.exchanges"
  $bin/seguectl tail -n 5 "kafka://$brokers/shop.exchanges"
fi

say "All is stopped now; the record stays. Try next:"
cat <<TEXT
  $bin/seguectl show $failed $source --as curl
  $bin/seguectl cat $source --account dara --status 4xx
  $bin/seguectl query "SELECT created_at, target, response_body FROM exchanges WHERE status >= 500" archive:$data/archive
  $bin/seguectl journal status $source
  env \$(cat $data/ports) $bin/seguectl compare $source -c $config  # every route
  env \$(cat $data/ports) $bin/seguectl compare $source -c $config --output html >compare.html
  env \$(cat $data/ports) $bin/segue routes explain -c $config 'GET /search?q=a' -H 'x-beta: 1'
TEXT
