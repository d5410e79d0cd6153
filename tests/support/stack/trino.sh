#!/usr/bin/env bash
# Trino for tests, one server that is coordinator and worker, with its Hive connector over S3: the
# core and that one plugin from Maven, 470 MB. It needs a Java of 24 or newer.
#
#   trino.sh fetch
#   trino.sh start WORKDIR S3-ENDPOINT CREDENTIALS-FILE BUCKET [-o PID]
#       prints the server's URL, with a catalog `hive` and its schema `traffic`; the file has a key and
#       its secret; the catalog's own files go to s3://BUCKET/hive-catalog
#   trino.sh ask WORKDIR FILE       runs the statements of FILE there by Trino's own client; prints
#                                   each row as a line of JSON
#   trino.sh destroy WORKDIR
#
# SEGUE_TRINO_HEAP: memory of the server (default: 1g). TRINO_JAVA: the Java to use.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
TRINO_VERSION=${TRINO_VERSION:-476}
TRINO_HEAP=${SEGUE_TRINO_HEAP:-1g}

# Is this Java, if any, new enough?
java_serves() {
  local version
  version=$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 24 ]
}

find_java() {
  local java
  for java in "${TRINO_JAVA:-$JAVA}" /usr/lib/jvm/*/bin/java; do
    if java_serves "$java"; then
      echo "$java"
      return
    fi
  done
  die "Java 24 or newer is needed: install one and name it in TRINO_JAVA"
}

copy_trino() {
  local folder=$1 coordinate
  for coordinate in "trino-server-core:$TRINO_VERSION:tar.gz" "trino-hive:$TRINO_VERSION:zip" \
    "trino-cli:$TRINO_VERSION:jar:executable"; do
    run_maven "$folder/maven.log" dependency:copy "-Dartifact=io.trino:$coordinate" \
      -Dmdep.overWriteReleases=true -DoutputDirectory="$folder" || return 1
  done
  tar xzf "$folder"/trino-server-core-*.tar.gz -C "$folder" --strip-components=1 &&
    rm -r "$folder"/plugin/* &&
    "$PYTHON" -m zipfile -e "$folder"/trino-hive-*.zip "$folder/plugin" &&
    mv "$folder"/trino-cli-*.jar "$folder/cli.jar" &&
    rm "$folder"/trino-server-core-*.tar.gz "$folder"/trino-hive-*.zip
}

program() { fetch_into "trino-$TRINO_VERSION" copy_trino; }

write_settings() {
  local port=$1 endpoint=$2 credentials=$3 bucket=$4 key secret
  read -r -d '' key secret <"$credentials"
  mkdir -p "$W/etc/catalog"
  cat >"$W/etc/config.properties" <<SETTINGS
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$port
discovery.uri=http://$HOST:$port
catalog.config-dir=$W/etc/catalog
plugin.dir=$PROGRAM/plugin
node.environment=test
node.id=test
node.internal-address=$HOST
query.max-memory-per-node=300MB
SETTINGS
  cat >"$W/etc/catalog/hive.properties" <<SETTINGS
connector.name=hive
hive.metastore=file
hive.metastore.catalog.dir=s3://$bucket/hive-catalog
hive.timestamp-precision=MICROSECONDS
hive.non-managed-table-writes-enabled=false
fs.native-s3.enabled=true
s3.endpoint=$endpoint
s3.region=us-east-1
s3.path-style-access=true
s3.aws-access-key=$key
s3.aws-secret-key=$secret
SETTINGS
}

# A server answers before it serves: this asks it a question.
serves() {
  cmd_ask "$W" <(echo "CREATE SCHEMA IF NOT EXISTS hive.traffic;")
}

cmd_ask() {
  local work=$1 statements=$2 java
  java=$(find_java) || exit 1
  PROGRAM=$(program) || exit 1
  "$java" "${JVM_FAST[@]}" --enable-native-access=ALL-UNNAMED -jar "$PROGRAM/cli.jar" --server "$(cat "$work/url")" --catalog hive \
    --schema traffic --output-format JSON --no-progress --file "$statements"
}

cmd_start() {
  W=${1:?WORKDIR}
  local s3=("${2:?S3-ENDPOINT}" "${3:?CREDENTIALS-FILE}" "${4:?BUCKET}") owner='' java port
  shift 4
  while [ $# -gt 0 ]; do
    case $1 in
      -o) owner=${2:?PID} && shift 2 ;;
      *) die "what is $1?" ;;
    esac
  done
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -s "$W/pid" ] || die "$W is in use"
  java=$(find_java) || exit 1
  PROGRAM=$(program) || exit 1
  port=$(free_ports 1) || exit 1
  write_settings "$port" "${s3[@]}"
  watch_owner "$owner" "$W"
  echo "http://$HOST:$port" >"$W/url"
  spawn "$W/pid" "$W/log" env -C "$W" "$java" -Xmx"$TRINO_HEAP" -XX:+UseSerialGC \
    -Djdk.attach.allowAttachSelf=true --add-modules jdk.incubator.vector \
    --enable-native-access=ALL-UNNAMED -Dconfig="$W/etc/config.properties" \
    -cp "$PROGRAM/lib/*" io.trino.server.TrinoServer
  wait_until "$STACK_WAIT" "$W/pid" serves || {
    tail -n 20 "$W/log" >&2
    stop_pid "$W/pid" 0
    die "not ready in $STACK_WAIT s"
  }
  still_owned "$owner" "$W"
  cat "$W/url"
}

case ${1:-help} in
  fetch) find_java >/dev/null && program ;;
  start) shift && cmd_start "$@" ;;
  ask) shift && cmd_ask "$@" ;;
  destroy) stop_pid "${2:?WORKDIR}/pid" 0 && rm -rf "$2" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
