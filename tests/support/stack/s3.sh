#!/usr/bin/env bash
# An S3 server for tests: moto, in memory, which accepts any key and secret.
#   s3.sh fetch
#   s3.sh start WORKDIR [-o PID]    prints the endpoint URL (path-style addressing)
#   s3.sh stop|destroy WORKDIR
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
MOTO_VERSION=${MOTO_VERSION:-5.1.22}

environment() { python_environment "moto-$MOTO_VERSION" "moto[s3,server]==$MOTO_VERSION"; }

cmd_start() {
  W=${1:?WORKDIR}
  local owner='' folder port
  [ "${2:-}" != -o ] || owner=$3
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  folder=$(environment) || exit 1
  port=$(free_ports 1) || exit 1
  watch_owner "$owner" "$W"
  spawn "$W/pid" "$W/log" "$folder/bin/moto_server" -H "$HOST" -p "$port"
  wait_until "$STACK_WAIT" "$W/pid" curl -sf -m 2 "http://$HOST:$port/" || {
    tail -n 5 "$W/log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  echo "http://$HOST:$port" | tee "$W/url"
}

case ${1:-help} in
  fetch) environment ;;
  start) shift && cmd_start "$@" ;;
  stop) stop_pid "${2:?WORKDIR}/pid" ;;
  destroy) stop_pid "${2:?WORKDIR}/pid" 0 && rm -rf "$2" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
