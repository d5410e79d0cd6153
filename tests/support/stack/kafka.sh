#!/usr/bin/env bash
# A real Apache Kafka (KRaft, controller and broker in one) for tests, from Maven artifacts alone.
#
#   kafka.sh fetch                      fetches the jars, makes the class-data archive (once; Maven)
#   kafka.sh libs                       prints the folder of the jars
#   kafka.sh start WORKDIR [-n N] [-s] [-a] [-c KEY=VALUE]... [-o PID]
#                                       starts N brokers (default 1), prints the bootstrap address;
#                                       -s adds SASL_PLAINTEXT, SASL_SSL and SSL listeners and ACLs;
#                                       -a creates missing topics by themselves;
#                                       -c adds a line to every broker's configuration;
#                                       -o destroys all when the process PID ends ("parent": who
#                                       runs this script)
#   kafka.sh restart WORKDIR ...        destroys what an earlier start left there, then starts
#   kafka.sh stop WORKDIR               stops all (TERM, KILL after 10 s); the data stays
#   kafka.sh destroy WORKDIR            kill -9 all and delete WORKDIR
#   kafka.sh kill WORKDIR NODE          kill -9 one broker (nodes are 1..N)
#   kafka.sh pause|resume WORKDIR NODE  SIGSTOP, SIGCONT
#   kafka.sh up WORKDIR [NODE]          starts a stopped or killed broker, or all, again: same data,
#                                       same ports
#   kafka.sh tool WORKDIR NAME ARG...   runs one of Kafka's tools: "kafka.sh tools" names them
#
# WORKDIR/env afterwards holds BOOTSTRAP=... (PLAINTEXT) and, with -s, SASL_PLAINTEXT=, SASL_SSL=,
# SSL=, CA=, CLIENT_CERT=, CLIENT_KEY=. WORKDIR/node-N/{pid,server.properties,server.log,data}
# belong to broker N.
#
# With -s: users admin/admin-secret (super user), alice/alice-secret and bob/bob-secret exist for
# PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; the PLAINTEXT listener stays an administrator's back door
# (User:ANONYMOUS is a super user); the SSL listener wants a client certificate (principal
# User:CN=client). No ACL is set at first: everything is denied to alice, bob and CN=client.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"

KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
LOG4J_VERSION=${LOG4J_VERSION:-2.25.4}
ARCHIVE=$STACK_CACHE/kafka-$KAFKA_VERSION.jsa

# kafka-tools brings connect-runtime along: one folder serves brokers, tools and Connect.
libs() {
  maven_libraries "kafka-$KAFKA_VERSION" "org.apache.kafka:kafka_2.13:$KAFKA_VERSION" \
    "org.apache.kafka:kafka-tools:$KAFKA_VERSION" "org.apache.kafka:connect-file:$KAFKA_VERSION" \
    "org.apache.logging.log4j:log4j-slf4j-impl:$LOG4J_VERSION"
}

# Sets LIBS and what every JVM gets.
prepare() {
  command -v "$JAVA" >/dev/null || die "Java 17 is needed: apt-get install default-jre-headless"
  LIBS=$(libs) || exit 1
  JVM=("${JVM_FAST[@]}" -Dlog4j2.configurationFile="$W/log4j2.properties" -cp "$LIBS/*")
  [ ! -s "$ARCHIVE" ] || JVM+=(-XX:SharedArchiveFile="$ARCHIVE")
}

# One throw-away broker that dumps its loaded classes: later starts take half the time.
make_archive() {
  local folder
  [ ! -s "$ARCHIVE" ] || return 0
  folder=$(mktemp -d)
  if DUMP=$folder/archive "$0" start "$folder/w" >/dev/null && "$0" stop "$folder/w" &&
    [ -s "$folder/archive" ]; then
    mv "$folder/archive" "$ARCHIVE"
  else
    note "no class-data archive: brokers will start more slowly"
  fi
  rm -rf "$folder"
}

# brokers_seen PORT: a Metadata request, version 1, for no topic, in raw bytes; bytes 8 to 11 of the
# answer are the number of live brokers.
brokers_seen() {
  # shellcheck disable=SC2016
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1
    printf "\x00\x00\x00\x0e\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00" >&3
    set -- $(head -c 12 <&3 | od -An -tu1); [ $# -eq 12 ] && echo "${12}"' "$HOST" "$1" 2>/dev/null
}
sees() { [ "$(brokers_seen "$1")" = "$2" ]; }

# PEM key stores as Kafka reads them: key (PKCS#8) and chain in one file.
make_certificates() {
  local d=$1 name
  mkdir -p "$d"
  {
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=test-ca \
      -keyout "$d/ca.key" -out "$d/ca.pem"
    echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$d/names"
    for name in broker client; do
      openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$d/$name.key" \
        -out "$d/$name.csr"
      openssl x509 -req -in "$d/$name.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial \
        -days 3650 -extfile "$d/names" -out "$d/$name.crt"
      openssl pkcs8 -topk8 -nocrypt -in "$d/$name.key" -out "$d/$name.p8"
      cat "$d/$name.p8" "$d/$name.crt" "$d/ca.pem" >"$d/$name.keystore.pem"
    done
  } 2>"$d/openssl.log" || die "no certificates: $(tail -n 1 "$d/openssl.log")"
}

# Small and quick, for tests. A killed broker is fenced, and its leaderships move, after
# broker.session.timeout.ms.
write_common_configuration() {
  local replicas=$((N < 3 ? N : 3)) in_sync=$((N < 3 ? 1 : 2))
  cat <<CONFIGURATION
process.roles=broker,controller
controller.quorum.voters=$VOTERS
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
num.partitions=1
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
replica.lag.time.max.ms=5000
controlled.shutdown.enable=$([ "$N" -gt 1 ] && echo true || echo false)
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.segment.bytes=67108864
auto.create.topics.enable=$AUTO_CREATE
CONFIGURATION
}

write_security() {
  local listener mechanism passwords='' user
  for user in admin alice bob; do passwords+=" user_$user=\"$user-secret\""; done
  cat <<CONFIGURATION
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
allow.everyone.if.no.acl.found=false
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
ssl.keystore.type=PEM
ssl.keystore.location=$W/certs/broker.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$W/certs/ca.pem
listener.name.ssl.ssl.client.auth=required
CONFIGURATION
  local modules=org.apache.kafka.common.security
  for listener in sasl_plaintext sasl_ssl; do
    for mechanism in scram-sha-256 scram-sha-512; do
      echo "listener.name.$listener.$mechanism.sasl.jaas.config=$modules.scram.ScramLoginModule" \
        "required;"
    done
    echo "listener.name.$listener.plain.sasl.jaas.config=$modules.plain.PlainLoginModule" \
      "required$passwords;"
  done
}

# write_configuration NODE
write_configuration() {
  local n=$1 d=$W/node-$1 listeners protocols="PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
  listeners="PLAINTEXT://$HOST:${PLAIN[n]}"
  mkdir -p "$d"
  if [ "$SECURE" = 1 ]; then
    listeners+=",SASL_PLAINTEXT://$HOST:${SASL_PLAIN[n]},SASL_SSL://$HOST:${SASL_TLS[n]}"
    listeners+=",SSL://$HOST:${TLS[n]}"
    protocols+=",SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL"
  fi
  {
    echo "node.id=$n"
    echo "listeners=$listeners,CONTROLLER://$HOST:${CONTROL[n]}"
    echo "advertised.listeners=$listeners"
    echo "listener.security.protocol.map=$protocols"
    echo "log.dirs=$d/data"
    write_common_configuration
    [ "$SECURE" = 0 ] || write_security
    [ ${#EXTRA[@]} -eq 0 ] || printf '%s\n' "${EXTRA[@]}"
  } >"$d/server.properties"
}

new_uuid() { head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '='; }

# Node 1 by Kafka's own tool, the others as copies of its folder: one JVM for all.
format_storage() {
  local users=() user n
  if [ "$SECURE" = 1 ]; then
    for user in admin alice bob; do
      users+=(-S "SCRAM-SHA-256=[name=$user,password=$user-secret]")
      users+=(-S "SCRAM-SHA-512=[name=$user,password=$user-secret]")
    done
  fi
  "$JAVA" "${JVM[@]}" -Xmx128m -Dlog.file="$W/format.log" kafka.tools.StorageTool format \
    -t "$(new_uuid)" -c "$W/node-1/server.properties" ${users[@]+"${users[@]}"} \
    >>"$W/format.log" 2>&1 || {
    tail -n 5 "$W/format.log" >&2
    die "could not format"
  }
  for ((n = 2; n <= N; n++)); do
    cp -r "$W/node-1/data" "$W/node-$n/data"
    sed -i -e "s/^node.id=.*/node.id=$n/" -e "s/^directory.id=.*/directory.id=$(new_uuid)/" \
      "$W/node-$n/data/meta.properties"
  done
}

# launch NODE
launch() {
  local d=$W/node-$1 dump=()
  [ -z "${DUMP:-}" ] || dump=(-XX:ArchiveClassesAtExit="$DUMP")
  spawn "$d/pid" "$d/out" "$JAVA" -Xms64m -Xmx"$STACK_HEAP" "${JVM[@]}" ${dump[@]+"${dump[@]}"} \
    -Dlog.file="$d/server.log" kafka.Kafka "$d/server.properties"
}

# await EXPECTED NODE...: until each node answers and lists EXPECTED live brokers.
await() {
  local expected=$1 n port
  shift
  for n in "$@"; do
    port=$(sed -n 's/^advertised.listeners=PLAINTEXT:\/\/[^:]*:\([0-9]*\).*/\1/p' \
      "$W/node-$n/server.properties")
    wait_until "$STACK_WAIT" "$W/node-$n/pid" sees "$port" "$expected" || return 1
  done
}

choose_ports() {
  local ports n i=0
  mapfile -t ports < <(free_ports $((5 * N)))
  [ ${#ports[@]} -eq $((5 * N)) ] || exit 1
  PLAIN=() CONTROL=() SASL_PLAIN=() SASL_TLS=() TLS=() VOTERS=''
  for ((n = 1; n <= N; n++)); do
    PLAIN[n]=${ports[i++]} CONTROL[n]=${ports[i++]} SASL_PLAIN[n]=${ports[i++]}
    SASL_TLS[n]=${ports[i++]} TLS[n]=${ports[i++]}
    VOTERS+=${VOTERS:+,}$n@$HOST:${CONTROL[n]}
  done
}

addresses() {
  local all
  printf -v all ",$HOST:%s" "$@"
  echo "${all#,}"
}

write_env() {
  echo "BOOTSTRAP=$(addresses "${PLAIN[@]}")"
  echo "BROKERS=$N"
  [ "$SECURE" = 1 ] || return 0
  echo "SASL_PLAINTEXT=$(addresses "${SASL_PLAIN[@]}")"
  echo "SASL_SSL=$(addresses "${SASL_TLS[@]}")"
  echo "SSL=$(addresses "${TLS[@]}")"
  echo "CA=$W/certs/ca.pem"
  echo "CLIENT_CERT=$W/certs/client.crt"
  echo "CLIENT_KEY=$W/certs/client.key"
}

start_once() {
  local n
  choose_ports
  [ "$SECURE" = 0 ] || [ -d "$W/certs" ] || make_certificates "$W/certs"
  for ((n = 1; n <= N; n++)); do write_configuration "$n"; done
  format_storage
  for ((n = 1; n <= N; n++)); do launch "$n"; done
  # shellcheck disable=SC2046
  await "$N" $(seq "$N")
}

cmd_start() {
  W=${1:?WORKDIR}
  shift
  local owner='' try n
  N=1 SECURE=0 AUTO_CREATE=false EXTRA=()
  while [ $# -gt 0 ]; do
    case $1 in
      -n) N=$2 && shift ;;
      -s) SECURE=1 ;;
      -a) AUTO_CREATE=true ;;
      -c) EXTRA+=("$2") && shift ;;
      -o) owner=$2 && shift ;;
      *) die "what is $1?" ;;
    esac
    shift
  done
  mkdir -p "$W"
  W=$(readlink -f "$W")
  [ ! -e "$W/node-1" ] || die "$W is in use: 'up' starts it again, 'destroy' removes it"
  prepare
  write_log4j2 "$W/log4j2.properties"
  watch_owner "$owner" "$W"
  for try in 1 2 3; do # again only where another program took a port meanwhile
    start_once && break
    for ((n = 1; n <= N; n++)); do stop_pid "$W/node-$n/pid" 0; done
    if [ "$try" = 3 ] ||
      ! grep -qs 'Address already in use' "$W"/node-*/server.log "$W"/node-*/out; then
      tail -n 5 "$W"/node-*/out "$W"/node-*/server.log >&2
      die "not ready in $STACK_WAIT s"
    fi
    rm -rf "$W"/node-*
  done
  write_env >"$W/env"
  still_owned "$owner" "$W"
  addresses "${PLAIN[@]}"
}

nodes() {
  local folder
  for folder in "$W"/node-*; do [ ! -d "$folder" ] || echo "${folder##*-}"; done
}

cmd_up() {
  local n todo=("$@") live=0
  prepare
  # shellcheck source=/dev/null
  . "$W/env"
  [ $# -gt 0 ] || mapfile -t todo < <(nodes)
  for n in "${todo[@]}"; do [ -s "$W/node-$n/pid" ] || launch "$n"; done
  for n in $(nodes); do [ ! -s "$W/node-$n/pid" ] || live=$((live + 1)); done
  await "$live" "${todo[@]}" || die "not ready in $STACK_WAIT s"
  echo "$BOOTSTRAP"
}

list_tools() {
  echo "topics configs groups acls offsets reassign producer-perf consumer-perf consume produce" \
    "features quorum dump-log transactions delete-records leader-election log-dirs api-versions" \
    "cluster share-groups, or the name of a class"
}

cmd_tool() {
  prepare
  # shellcheck source=/dev/null
  . "$W/env"
  local tool=${1:?NAME} class server=(--bootstrap-server "$BOOTSTRAP")
  shift
  case $tool in
    topics) class=TopicCommand ;;
    acls) class=AclCommand ;;
    groups) class=consumer.group.ConsumerGroupCommand ;;
    share-groups) class=consumer.group.ShareGroupCommand ;;
    offsets) class=GetOffsetShell ;;
    reassign) class=reassign.ReassignPartitionsCommand ;;
    consume) class=consumer.ConsoleConsumer ;;
    produce) class=ConsoleProducer ;;
    transactions) class=TransactionsCommand ;;
    delete-records) class=DeleteRecordsCommand ;;
    leader-election) class=LeaderElectionCommand ;;
    log-dirs) class=LogDirsCommand ;;
    api-versions) class=BrokerApiVersionsCommand ;;
    features) class=FeatureCommand ;;
    quorum) class=MetadataQuorumCommand ;;
    consumer-perf) class=ConsumerPerformance ;;
    producer-perf) class=ProducerPerformance server=() ;; # --bootstrap-server comes from the caller
    cluster) class=ClusterTool server=() ;;
    dump-log) class=DumpLogSegments server=() ;;
    configs) class=kafka.admin.ConfigCommand ;;
    *) class=$tool server=() ;;
  esac
  case $class in
    *.*.*.* | kafka.*) ;;
    *) class=org.apache.kafka.tools.$class ;;
  esac
  exec "$JAVA" "${JVM[@]}" -Xmx"$STACK_HEAP" -Dlog.file=/dev/null -Dlog.level=WARN "$class" \
    ${server[@]+"${server[@]}"} "$@"
}

existing() {
  W=$(readlink -f "${1:?WORKDIR}")
  [ -d "$W" ] || die "no $W"
}

command=${1:-help}
shift || true
case $command in
  stop | destroy | kill | pause | resume | up | tool) existing "$@" && shift ;;
esac
case $command in
  libs) libs ;;
  fetch) libs >/dev/null && make_archive && libs ;;
  start) cmd_start "$@" ;;
  restart)
    [ ! -d "${1:?WORKDIR}" ] || "$0" destroy "$1"
    cmd_start "$@"
    ;;
  stop)
    for n in $(nodes); do stop_pid "$W/node-$n/pid" & done
    wait
    ;;
  destroy)
    for n in $(nodes); do stop_pid "$W/node-$n/pid" 0; done
    rm -rf "$W"
    ;;
  kill) kill -9 "$(cat "$W/node-${1:?NODE}/pid")" && rm "$W/node-$1/pid" ;;
  pause) kill -STOP "$(cat "$W/node-${1:?NODE}/pid")" ;;
  resume) kill -CONT "$(cat "$W/node-${1:?NODE}/pid")" ;;
  up) cmd_up "$@" ;;
  tools) list_tools ;;
  tool) cmd_tool "$@" ;;
  help | -h | --help) usage ;;
  *) die "what is $command? (try help)" ;;
esac
