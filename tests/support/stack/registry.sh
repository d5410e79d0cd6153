#!/usr/bin/env bash
# A schema registry with Confluent's REST API for tests: Apicurio Registry from Maven, in memory.
#
#   registry.sh fetch
#   registry.sh start WORKDIR [-t CERT KEY] [-a USER:PASSWORD] [-l LEVEL] [-o PID]
#                                   prints the base URL, in front of /subjects;
#                                   -t serves HTTPS too, with that PEM certificate and key;
#                                   -a serves with basic authentication too, over HTTPS where there
#                                      is -t (by a small proxy: Apicurio has it only together with
#                                      an OpenID server);
#                                   -l is the global compatibility level (default BACKWARD);
#                                   -o destroys it when the process PID ends
#   registry.sh stop WORKDIR        forgets all schemas; the next start takes the same ports
#   registry.sh destroy WORKDIR
#
# WORKDIR/url and, where there are any, https, auth and auth_https hold the base URLs.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
PROXY=$(dirname "$(readlink -f "$0")")/auth_proxy.py
APICURIO_VERSION=${APICURIO_VERSION:-3.0.9} # later ones want Java 21
API=apis/ccompat/v7

app() {
  maven_archive "apicurio-$APICURIO_VERSION" \
    "io.apicurio:apicurio-registry-app:$APICURIO_VERSION:tar.gz:all"
}

# start_proxy NAME PORT TARGET SCHEME [CERT KEY]
start_proxy() {
  local name=$1 port=$2 target=$3 scheme=$4
  shift 4
  spawn "$W/pid.$name" "$W/log" "$PYTHON" "$PROXY" "$port" "$target" "$USER_PASSWORD" "$@"
  wait_until "$STACK_WAIT" "$W/pid.$name" curl -skf -m 2 -u "$USER_PASSWORD" \
    "$scheme://$HOST:$port/$API/subjects" || die "the proxy does not answer"
  echo "$scheme://$HOST:$port/$API" >"$W/$name"
}

stop_all() {
  local name
  for name in auth_https auth; do stop_pid "$W/pid.$name" 2; done
  stop_pid "$W/pid" "$1"
}

cmd_start() {
  W=${1:?WORKDIR}
  shift
  local tls=() level=BACKWARD owner='' jvm=() folder jar port tls_port auth_port auth_tls_port url
  USER_PASSWORD=''
  while [ $# -gt 0 ]; do
    case $1 in
      -t) tls=("$(readlink -f "$2")" "$(readlink -f "$3")") && shift ;;
      -a) USER_PASSWORD=$2 ;;
      -l) level=$2 ;;
      -o) owner=$2 ;;
      *) die "what is $1?" ;;
    esac
    shift 2
  done
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  folder=$(app) || exit 1
  jar=$folder/quarkus-run.jar
  [ -s "$jar" ] || jar=$(find "$folder" -name '*-runner.jar' | head -n 1)
  [ -s "$W/ports" ] || free_ports 4 | tr '\n' ' ' >"$W/ports"
  read -r port tls_port auth_port auth_tls_port <"$W/ports"
  [ -n "${auth_tls_port:-}" ] || exit 1
  [ ${#tls[@]} -eq 0 ] || jvm=(-Dquarkus.http.ssl-port="$tls_port"
    -Dquarkus.http.ssl.certificate.files="${tls[0]}"
    -Dquarkus.http.ssl.certificate.key-files="${tls[1]}"
    -Dquarkus.http.insecure-requests=enabled)
  : >"$W/log"
  watch_owner "$owner" "$W"
  spawn "$W/pid" "$W/log" env -C "$W" "$JAVA" -Xmx"${REGISTRY_HEAP:-384m}" "${JVM_FAST[@]}" \
    -Dquarkus.http.host="$HOST" -Dquarkus.http.port="$port" ${jvm[@]+"${jvm[@]}"} -jar "$jar"
  url=http://$HOST:$port/$API
  wait_until "$STACK_WAIT" "$W/pid" curl -sf -m 2 "$url/subjects" || {
    tail -n 5 "$W/log" >&2
    stop_all 0
    die "not ready in $STACK_WAIT s"
  }
  # Apicurio starts with NONE, Confluent's registry with BACKWARD.
  curl -sf -X PUT -H 'Content-Type: application/json' -d "{\"compatibility\":\"$level\"}" \
    "$url/config" >/dev/null || die "cannot set the level"
  [ ${#tls[@]} -eq 0 ] || echo "https://$HOST:$tls_port/$API" >"$W/https"
  if [ -n "$USER_PASSWORD" ]; then
    start_proxy auth "$auth_port" "$port" http
    [ ${#tls[@]} -eq 0 ] || start_proxy auth_https "$auth_tls_port" "$port" https "${tls[@]}"
  fi
  still_owned "$owner" "$W"
  echo "$url" | tee "$W/url"
}

case ${1:-help} in
  fetch) app ;;
  start) shift && cmd_start "$@" ;;
  stop | destroy)
    W=${2:?WORKDIR}
    if [ "$1" = stop ]; then stop_all 10; else stop_all 0 && rm -rf "$W"; fi
    ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
