#!/usr/bin/env bash
# A real Kafka Connect worker for tests, from Maven artifacts alone.
#
#   connect.sh plugin NAME GROUP:ARTIFACT:VERSION...   fetches a connector with all it needs; prints
#                                                      its folder (once; Maven)
#   connect.sh plugin NAME GROUP:ARTIFACT:VERSION:TYPE:CLASSIFIER    from a ready-made archive
#   connect.sh s3-sink                   fetches the Camel S3 sink; prints its folder
#   connect.sh start WORKDIR BOOTSTRAP [-p PLUGINDIR]... [-w FILE] [-c KEY=VALUE]... [-o PID]
#                                        starts a distributed worker, prints its REST URL; -w is a
#                                        worker.properties to begin with (without it, records go as
#                                        bytes); what this script must set itself comes after it
#   connect.sh put WORKDIR NAME FILE     creates or changes a connector from a flat JSON object
#                                        ('-' reads standard input)
#   connect.sh wait WORKDIR NAME         until the connector and its tasks run; prints the trace if
#                                        a task failed
#   connect.sh status WORKDIR [NAME]     REST status
#   connect.sh stop|destroy WORKDIR
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
KAFKA_SH=$(dirname "$(readlink -f "$0")")/kafka.sh
CAMEL_SINK_VERSION=${CAMEL_SINK_VERSION:-0.11.0}
CAMEL_VERSION=${CAMEL_VERSION:-3.11.1} # the one that the sink is made for

plugin() {
  local name=plugin-$1
  shift
  case $1 in
    *:*:*:*:*) maven_archive "$name" "$1" ;;
    *) maven_libraries "$name" "$@" ;;
  esac
}

s3_sink() {
  plugin "camel-s3-$CAMEL_SINK_VERSION" \
    "org.apache.camel.kafkaconnector:camel-kafka-connector:$CAMEL_SINK_VERSION" \
    "org.apache.camel:camel-aws2-s3:$CAMEL_VERSION"
}

answers() { curl -sf -m 2 "$1/connectors"; }

# What depends on this machine and this run; later lines win.
write_worker() {
  local bootstrap=$1 port=$2 id=test-$$-$RANDOM kind
  if [ -n "$BASE" ]; then
    cat "$BASE"
  else
    echo "key.converter=org.apache.kafka.connect.converters.ByteArrayConverter"
    echo "value.converter=org.apache.kafka.connect.converters.ByteArrayConverter"
  fi
  echo
  echo "bootstrap.servers=$bootstrap"
  echo "listeners=http://$HOST:$port"
  echo "rest.advertised.host.name=$HOST"
  echo "offset.flush.interval.ms=1000"
  echo "scheduled.rebalance.max.delay.ms=0"
  echo "group.id=$id"
  for kind in config offset status; do
    echo "$kind.storage.topic=$id-$kind"
    echo "$kind.storage.replication.factor=1"
    [ $kind = config ] || echo "$kind.storage.partitions=1"
  done
  # plugin.path names the parent of the plugins' folders; it may be missing, but not empty.
  [ ${#PLUGINS[@]} -eq 0 ] || echo "plugin.path=$W/plugins"
  [ ${#EXTRA[@]} -eq 0 ] || printf '%s\n' "${EXTRA[@]}"
}

cmd_start() {
  W=${1:?WORKDIR}
  local bootstrap=${2:?BOOTSTRAP} owner='' port libs
  PLUGINS=() EXTRA=() BASE=''
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      -p) PLUGINS+=("$(readlink -f "$2")") ;;
      -w) BASE=$2 ;;
      -c) EXTRA+=("$2") ;;
      -o) owner=$2 ;;
      *) die "what is $1?" ;;
    esac
    shift 2
  done
  mkdir -p "$W/plugins"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  libs=$("$KAFKA_SH" libs) || exit 1
  port=$(free_ports 1) || exit 1
  [ ${#PLUGINS[@]} -eq 0 ] || ln -sfn "${PLUGINS[@]}" "$W/plugins/"
  write_log4j2 "$W/log4j2.properties"
  write_worker "$bootstrap" "$port" >"$W/worker.properties"
  watch_owner "$owner" "$W"
  # The AWS client must not look for credentials or a region on the network.
  spawn "$W/pid" "$W/out" env AWS_EC2_METADATA_DISABLED=true "$JAVA" \
    -Xmx"${CONNECT_HEAP:-512m}" "${JVM_FAST[@]}" \
    -Dlog4j2.configurationFile="$W/log4j2.properties" -Dlog.file="$W/connect.log" \
    -cp "$libs/*" org.apache.kafka.connect.cli.ConnectDistributed "$W/worker.properties"
  wait_until "$STACK_WAIT" "$W/pid" answers "http://$HOST:$port" || {
    tail -n 5 "$W/out" "$W/connect.log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  echo "http://$HOST:$port" | tee "$W/url"
}

# Every part RUNNING, and at least one task.
running() {
  local status
  status=$(curl -sf -m 2 "$1/connectors/$2/status") || return 1
  [[ $status == *'"tasks":[{'* && $status != *'"state":"'[!R]* ]]
}
failed() { curl -sf -m 2 "$1/connectors/$2/status" | grep -q '"state":"FAILED"'; }

cmd_wait() {
  local name=$1 end=$((SECONDS + STACK_WAIT))
  until running "$URL" "$name"; do
    if failed "$URL" "$name"; then
      curl -s "$URL/connectors/$name/status"
      die "$name failed"
    fi
    [ "$SECONDS" -lt "$end" ] || die "$name does not run after $STACK_WAIT s"
    sleep 0.2
  done
}

command=${1:-help}
shift || true
case $command in
  put | wait | status)
    W=${1:?WORKDIR}
    URL=$(cat "$W/url") || exit 1
    shift
    ;;
esac
case $command in
  plugin) plugin "$@" ;;
  s3-sink) s3_sink ;;
  start) cmd_start "$@" ;;
  put)
    curl -sS --fail-with-body -X PUT -H 'Content-Type: application/json' \
      --data-binary "@${2:?FILE}" "$URL/connectors/${1:?NAME}/config"
    ;;
  wait) cmd_wait "${1:?NAME}" ;;
  status) curl -s "$URL/connectors/${1:+$1/status}" ;;
  stop) stop_pid "${1:?WORKDIR}/pid" ;;
  destroy) stop_pid "${1:?WORKDIR}/pid" 0 && rm -rf "$1" ;;
  help | -h | --help) usage ;;
  *) die "what is $command? (try help)" ;;
esac
