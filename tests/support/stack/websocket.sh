#!/usr/bin/env bash
# The npm package ws, a WebSocket client and server: what its client finds at its server.
#   websocket.sh fetch
#   websocket.sh start WORKDIR [-o PID] [-t CERTIFICATE KEY]
#                             a server (websocket/server.mjs), with TLS by -t; prints its URL
#   websocket.sh run URL      the checks of websocket/client.mjs there; prints the results as JSON:
#                             true, or what was wrong, by name
#   websocket.sh stop|destroy WORKDIR
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
WS_VERSION=${WS_VERSION:-8.18.0}
NODE=${NODE:-node}
NPM=${NPM:-npm}
PROGRAMS=$(dirname "$(readlink -f "$0")")/websocket

install_ws() {
  command -v "$NODE" >/dev/null || die "Node.js is needed: apt-get install nodejs"
  command -v "$NPM" >/dev/null || die "npm is needed: apt-get install npm"
  cd "$1" && echo '{"private": true}' >package.json &&
    "$NPM" install --silent --no-audit --no-fund --ignore-scripts "ws@$WS_VERSION"
}

fetch_ws() { fetch_into "ws-$WS_VERSION" install_ws; }

cmd_start() {
  W=${1:?WORKDIR}
  shift
  local owner='' folder port scheme=ws tls=()
  while [ $# -gt 0 ]; do
    case $1 in
      -o) owner=$2 && shift 2 ;;
      -t) tls=("$2" "$3") scheme=wss && shift 3 ;;
      *) die "what is $1? (try help)" ;;
    esac
  done
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  folder=$(fetch_ws) || exit 1
  port=$(free_ports 1) || exit 1
  watch_owner "$owner" "$W"
  spawn "$W/pid" "$W/log" env WS_FOLDER="$folder" "$NODE" "$PROGRAMS/server.mjs" "$port" "${tls[@]}"
  wait_until "$STACK_WAIT" "$W/pid" port_open "$port" || {
    tail -n 5 "$W/log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  echo "$scheme://$HOST:$port"
}

cmd_run() {
  local folder
  folder=$(fetch_ws) || exit 1
  env WS_FOLDER="$folder" "$NODE" --no-warnings "$PROGRAMS/client.mjs" "${1:?URL}"
}

case ${1:-help} in
  fetch) fetch_ws ;;
  start) shift && cmd_start "$@" ;;
  run) shift && cmd_run "$@" ;;
  stop) stop_pid "${2:?WORKDIR}/pid" ;;
  destroy) stop_pid "${2:?WORKDIR}/pid" 0 && rm -rf "$2" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
