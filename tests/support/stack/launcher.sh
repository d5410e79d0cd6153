# shellcheck shell=bash disable=SC2034
# What the launchers of real servers in this folder share. Source it; do not run it.
#
# Environment, all of it optional:
#   SEGUE_STACK_CACHE   where fetched programs are kept, by version  (default: ~/.cache/segue-stack)
#   SEGUE_STACK_PORTS   range that free ports are taken from         (default: 20000-21999)
#   SEGUE_STACK_HEAP    heap of each broker                          (default: 256m)
#   SEGUE_STACK_WAIT    seconds to wait for a server to be ready     (default: 90)
#   JAVA, MVN, PYTHON   programs to use

STACK_CACHE=${SEGUE_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/segue-stack}
STACK_PORTS=${SEGUE_STACK_PORTS:-20000-21999}
STACK_HEAP=${SEGUE_STACK_HEAP:-256m}
STACK_WAIT=${SEGUE_STACK_WAIT:-90}
JAVA=${JAVA:-java}
MVN=${MVN:-mvn}
PYTHON=${PYTHON:-python3}
HOST=127.0.0.1
# A cheap collector and compiler: short-lived servers on few cores start faster and stay smaller.
JVM_FAST=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto)

note() { echo "${0##*/}: $*" >&2; }
die() {
  note "$@"
  exit 1
}

# The comment at the top of the script.
usage() { sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p}' "$0"; }

# port_open PORT: does anything listen there?
port_open() { (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null; }

# free_ports N: prints N different free ports, one per line. Each is reserved for two minutes by a
# folder made atomically, so that launchers running side by side do not get the same one.
free_ports() {
  local want=$1 low=${STACK_PORTS%-*} high=${STACK_PORTS#*-} got=0 try port
  local reserved=${TMPDIR:-/tmp}/segue-stack-ports.$UID
  mkdir -p "$reserved"
  find "$reserved" -mindepth 1 -maxdepth 1 -mmin +2 -exec rmdir {} + 2>/dev/null
  for ((try = 0; try < 2000 && got < want; try++)); do
    port=$((low + (RANDOM * 32768 + RANDOM) % (high - low + 1)))
    port_open "$port" && continue
    mkdir "$reserved/$port" 2>/dev/null || continue
    echo "$port"
    got=$((got + 1))
  done
  [ "$got" -eq "$want" ] || die "no $want free ports in $STACK_PORTS"
}

# wait_until SECONDS PIDFILE COMMAND...: runs COMMAND until it succeeds; fails at once when the
# process has died.
wait_until() {
  local end=$((SECONDS + $1)) pidfile=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ -s "$pidfile" ] && ! kill -0 "$(cat "$pidfile")" 2>/dev/null; then return 2; fi
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# spawn PIDFILE LOGFILE COMMAND...: starts in the background, free of this shell's files.
spawn() {
  local pidfile=$1 log=$2
  shift 2
  setsid nohup "$@" >>"$log" 2>&1 </dev/null &
  echo $! >"$pidfile"
  disown
}

# stop_pid PIDFILE [SECONDS]: TERM, then KILL after SECONDS (default 10); removes the pid file.
stop_pid() {
  local pidfile=$1 limit=${2:-10} pid end
  [ -s "$pidfile" ] || return 0
  pid=$(cat "$pidfile")
  end=$((SECONDS + limit))
  kill "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$end" ]; then kill -9 "$pid" 2>/dev/null; fi
    sleep 0.1
  done
  rm -f "$pidfile"
}

# watch_owner PID WORKDIR: when the process PID ends, however it ends, WORKDIR is destroyed with
# all that runs in it, unless it is somebody else's by then. "parent" is the process that ran this
# script.
watch_owner() {
  [ -n "$1" ] || return 0
  local pid=$1
  [ "$pid" != parent ] || pid=$PPID
  echo "$pid" >"$2/owner"
  # shellcheck disable=SC2016
  spawn /dev/null /dev/null bash -c \
    'tail -s 0.2 -f /dev/null --pid="$1"
     [ "$(cat "$3/owner" 2>/dev/null)" != "$1" ] || exec "$2" destroy "$3"' \
    watch_owner "$pid" "$(readlink -f "$0")" "$2"
}

# still_owned PID WORKDIR: at the end of a start, for the owner that ended meanwhile.
still_owned() {
  case $1 in
    '' | parent) return ;;
  esac
  kill -0 "$1" 2>/dev/null && return
  "$0" destroy "$2"
  die "process $1 is gone: nobody wants this server"
}

# fetched NAME: is it in the cache?
fetched() { [ -e "$STACK_CACHE/$1/.complete" ]; }

# fetch_into NAME COMMAND...: runs COMMAND FOLDER once, in a fresh folder that becomes
# $STACK_CACHE/NAME when it succeeds; prints that. Two at the same time: the second one waits.
fetch_into() {
  local name=$1 folder=$STACK_CACHE/$1
  shift
  if ! fetched "$name"; then
    mkdir -p "$STACK_CACHE"
    (
      flock 9
      fetched "$name" && exit 0
      rm -rf "$folder" "$folder.part"
      mkdir -p "$folder.part"
      "$@" "$folder.part" >&2 || exit 1
      touch "$folder.part/.complete"
      mv "$folder.part" "$folder"
    ) 9>"$STACK_CACHE/.$name.lock" || die "could not fetch $name"
  fi
  echo "$folder"
}

# run_maven LOG ARGUMENT...: up to three times (-U: Maven remembers a miss).
run_maven() {
  local log=$1 try
  shift
  command -v "$MVN" >/dev/null || die "Maven is needed: apt-get install maven"
  for try in 1 2 3; do
    "$MVN" -B -q -U "$@" >"$log" 2>&1 && return
    note "Maven failed ($try of 3)"
  done
  tail -n 5 "$log" >&2
  return 1
}

write_pom() {
  local coordinate group artifact version classifier
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>libs</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
POM
  for coordinate in "$@"; do
    IFS=: read -r group artifact version classifier <<<"$coordinate"
    printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>%s%s\n' \
      "$group" "$artifact" "$version" "${classifier:+<classifier>$classifier</classifier>}" \
      '</dependency>'
  done
  echo '</dependencies><repositories>'
  # Some poms name further repositories, which would be asked first: switched off by their ids.
  for coordinate in confluent redhat gcs-maven-central-mirror; do
    printf '<repository><id>%s</id><url>file:///nowhere</url>%s%s</repository>\n' "$coordinate" \
      '<releases><enabled>false</enabled></releases>' \
      '<snapshots><enabled>false</enabled></snapshots>'
  done
  echo '</repositories></project>'
}

copy_libraries() {
  local folder=${!#}
  write_pom "${@:1:$#-1}" >"$folder/pom.xml"
  run_maven "$folder/maven.log" -f "$folder/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$folder"
}

# maven_libraries NAME GROUP:ARTIFACT:VERSION[:CLASSIFIER]...: the artifacts and all that they need
# at run time; prints their folder.
maven_libraries() { fetch_into "$1" copy_libraries "${@:2}"; }

unpack_artifact() {
  local coordinate=$1 folder=$2 file
  run_maven "$folder/maven.log" dependency:copy -Dartifact="$coordinate" \
    -DoutputDirectory="$folder" || return 1
  for file in "$folder"/*.tar.gz; do
    tar xzf "$file" -C "$folder" && rm "$file" || return 1
  done
}

# maven_archive NAME GROUP:ARTIFACT:VERSION:tar.gz:CLASSIFIER: unpacked; prints its folder.
maven_archive() { fetch_into "$1" unpack_artifact "$2"; }

# An environment works only where it was made: made there, and back there when it is complete.
make_environment() {
  local folder=${!#}
  folder=${folder%.part}
  rm -rf "$folder"
  "$PYTHON" -m venv "$folder" &&
    "$folder/bin/pip" -q --disable-pip-version-check install "${@:1:$#-1}" &&
    rm -rf "$folder.part" && mv "$folder" "$folder.part"
}

# python_environment NAME REQUIREMENT...: prints its folder.
python_environment() { fetch_into "$1" make_environment "${@:2}"; }

# A log4j2 configuration that writes to the file named by -Dlog.file.
write_log4j2() {
  cat >"$1" <<'CONFIGURATION'
status = error
appender.f.type = File
appender.f.name = F
appender.f.fileName = ${sys:log.file}
appender.f.layout.type = PatternLayout
appender.f.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = ${sys:log.level:-INFO}
rootLogger.appenderRef.f.ref = F
CONFIGURATION
}
