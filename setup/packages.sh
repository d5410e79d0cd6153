#!/usr/bin/env bash
# Installs what Segue needs, by group, on Debian 12 (or later) and Ubuntu 24.04.
#   setup/packages.sh build [demo] [kafka] [test] [bench]
# "kafka" is what tests/support/stack/kafka.sh needs to fetch and run a real broker.
# Asks dpkg first and returns at once when nothing is missing. On Debian 12, Boost 1.83 and Catch2 3
# come from the backports suite of the mirror that the system uses already; nothing else does.
set -euo pipefail

[ -n "${SEGUE_SKIP_PACKAGES:-}" ] && exit 0  # for machines where somebody else installs

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here; install the packages named in setup/packages.sh by other means," \
       "then set SEGUE_SKIP_PACKAGES=1" >&2
  exit 2
fi
# shellcheck source=/dev/null
. /etc/os-release

packages_of() {
  case $1 in
    build) echo g++ cmake ninja-build ccache pkg-config libssl-dev libprotobuf-dev \
                protobuf-compiler libre2-dev libyaml-cpp-dev libspdlog-dev libfmt-dev \
                libcli11-dev libxxhash-dev prometheus-cpp-dev zlib1g-dev libzstd-dev libbrotli-dev \
                libsimdjson-dev libpugixml-dev libgumbo-dev librdkafka-dev libcurl4-openssl-dev \
                libedit-dev curl ca-certificates \
                libboost1.83-dev libboost-url1.83-dev libboost-json1.83-dev ;;
    demo)  echo php-cli php-sqlite3
           command -v node >/dev/null || echo nodejs ;;
    kafka) echo default-jre-headless maven ca-certificates ;;
    test)  packages_of kafka
           packages_of demo
           echo catch2 python3 python3-venv curl openssl kcat clang-19 llvm-19 libclang-rt-19-dev
           command -v npm >/dev/null || echo nodejs npm
           # Ubuntu has it as a snap only: there, SEGUE_BROWSER names another Chromium or Chrome.
           [ "${ID:-}" = ubuntu ] || echo chromium ;;
    bench) echo nginx-light wrk slowhttptest python3 openssl ;;
    *)     echo "setup: no group of packages is called '$1'" >&2; exit 2 ;;
  esac
}

# Kafka 4 wants Java 17 or later: any will do.
has_java_17() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 17 ]
}

is_installed() {
  [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ] && return 0
  case $1 in  # the same program by another package
    nginx-light) command -v nginx >/dev/null ;;
    default-jre-headless) has_java_17 ;;
    *) return 1 ;;
  esac
}

from_backports() {
  [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] || return 1
  case $1 in
    libboost*1.83-dev | catch2) return 0 ;;
    *) return 1 ;;
  esac
}

# Prints the value of a field of the first deb822 stanza that holds the release itself.
deb822_field() {
  { awk 'FNR == 1 { print "" } 1' /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } | awk -v codename="$VERSION_CODENAME" -v field="$1" '
    BEGIN { RS = ""; FS = "\n" }
    {
      suites = ""; value = ""; types = ""
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^Suites:/) suites = " " substr($i, 8) " "
        if ($i ~ /^Types:/) types = " " substr($i, 7) " "
        if ($i ~ "^" field ":") { value = substr($i, length(field) + 2); sub(/^ +/, "", value) }
      }
      if (index(suites, " " codename " ") && index(types, " deb ") && value != "") { print value; exit }
    }'
}

# The first classic line of the release: "deb [options] URI".
classic_source() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
    awk -v codename="$VERSION_CODENAME" '
      $1 == "deb" {
        line = $0; options = ""
        if (match(line, /\[[^]]*\]/)) { options = substr(line, RSTART, RLENGTH) " "; sub(/\[[^]]*\]/, "", line) }
        split(line, word, " ")
        if (word[3] == codename) { print "deb " options word[2]; exit }
      }'
}

backports_known() {
  grep -rqsE "^[^#]*[[:space:]]$VERSION_CODENAME-backports([[:space:]]|$)" \
    /etc/apt/sources.list /etc/apt/sources.list.d --include='*.list' --include='*.sources' \
    --include=sources.list
}

add_backports() {
  backports_known && return
  local uri signed_by source
  uri=$(deb822_field URIs)
  if [ -n "$uri" ]; then
    signed_by=$(deb822_field Signed-By)
    {
      printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' \
        "${uri%% *}" "$VERSION_CODENAME"
      [ -z "$signed_by" ] || printf 'Signed-By: %s\n' "$signed_by"
    } | "${as_root[@]}" tee /etc/apt/sources.list.d/segue-backports.sources >/dev/null
    return
  fi
  source=$(classic_source)
  if [ -z "$source" ]; then
    echo "setup: no package source for $VERSION_CODENAME under /etc/apt: add" \
         "$VERSION_CODENAME-backports by hand" >&2
    exit 2
  fi
  echo "$source $VERSION_CODENAME-backports main" |
    "${as_root[@]}" tee /etc/apt/sources.list.d/segue-backports.list >/dev/null
}

missing=() backports=()
for group in "$@"; do
  names=$(packages_of "$group")
  for package in $names; do
    is_installed "$package" && continue
    if from_backports "$package"; then backports+=("$package"); else missing+=("$package"); fi
  done
done
[ $((${#missing[@]} + ${#backports[@]})) -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: installing ${missing[*]} ${backports[*]} needs root or sudo" >&2
    exit 2
  fi
  as_root=(sudo)
fi
[ ${#backports[@]} -eq 0 ] || add_backports

echo "setup: installing ${missing[*]} ${backports[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install)
"${as_root[@]}" apt-get -qq update
[ ${#missing[@]} -eq 0 ] || "${install[@]}" "${missing[@]}"
[ ${#backports[@]} -eq 0 ] || "${install[@]}" "${backports[@]/%//$VERSION_CODENAME-backports}"
