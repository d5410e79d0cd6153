#!/usr/bin/env bash
# The npm package http-cache-tests: 350 cases of what caches do, each a few exchanges of its client
# with its server.
#   http_cache.sh fetch
#   http_cache.sh start WORKDIR [-o PID]    its server; prints the base URL, without a slash
#   http_cache.sh run URL                   its client against that base; prints the results as JSON:
#                                           true, or the kind and the text of a failure, by case
#   http_cache.sh stop|destroy WORKDIR
# The package's own start scripts are not used: its settings are npm's (npm_config_NAME), its server
# listens on every interface, and installing it whole would install npm itself once more.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
HTTP_CACHE_TESTS_VERSION=${HTTP_CACHE_TESTS_VERSION:-0.4.5}
NODE_FETCH_VERSION=2.7.0 # all that its client needs beside itself
NODE=${NODE:-node}
NPM=${NPM:-npm}
LOCAL_ONLY='data:text/javascript,import net from "net"; const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (port) { return listen.call(this, port, "127.0.0.1") }'

install_suite() {
  command -v "$NODE" >/dev/null || die "Node.js is needed: apt-get install nodejs"
  command -v "$NPM" >/dev/null || die "npm is needed: apt-get install npm"
  cd "$1" &&
    "$NPM" pack --silent "http-cache-tests@$HTTP_CACHE_TESTS_VERSION" >/dev/null &&
    tar xzf ./*.tgz && rm ./*.tgz && mv package suite && echo '{"private": true}' >package.json &&
    "$NPM" install --silent --no-audit --no-fund --ignore-scripts "node-fetch@$NODE_FETCH_VERSION"
}

suite() {
  local folder
  folder=$(fetch_into "http-cache-tests-$HTTP_CACHE_TESTS_VERSION" install_suite) || exit 1
  echo "$folder/suite"
}

cmd_start() {
  W=${1:?WORKDIR}
  local owner='' folder port
  [ "${2:-}" != -o ] || owner=$3
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  folder=$(suite) || exit 1
  port=$(free_ports 1) || exit 1
  watch_owner "$owner" "$W"
  spawn "$W/pid" "$W/log" env -C "$W" npm_config_protocol=http npm_config_port="$port" \
    npm_config_pidfile=/dev/null "$NODE" --no-warnings --import "$LOCAL_ONLY" \
    "$folder/server/server.mjs"
  wait_until "$STACK_WAIT" "$W/pid" port_open "$port" || {
    tail -n 5 "$W/log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  echo "http://$HOST:$port" | tee "$W/url"
}

cmd_run() {
  local folder
  folder=$(suite) || exit 1
  # An empty id means every case; one that is not set means none.
  env -C "$folder" npm_config_base="${1:?URL}" npm_package_config_id='' \
    "$NODE" --no-warnings cli.mjs
}

case ${1:-help} in
  fetch) suite ;;
  start) shift && cmd_start "$@" ;;
  run) shift && cmd_run "$@" ;;
  stop) stop_pid "${2:?WORKDIR}/pid" ;;
  destroy) stop_pid "${2:?WORKDIR}/pid" 0 && rm -rf "$2" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
