#!/usr/bin/env bash
# Publishing to a real Apache Kafka on this machine: bench/publisher.sh [RECORDS] [BUILD_FOLDER]
# The broker comes from Maven's repository (see tests/support/stack/kafka.sh) and is gone
# afterwards. Records of about 2.3 KB, six partitions, one round for each codec and a second one.
set -euo pipefail
cd "$(dirname "$0")/.."
records=${1:-500000}
build=${2:-build/release}
if [ ! -d "$build" ]; then
  mkdir -p build
  cmake --preset release >build/bench.log 2>&1
fi
cmake --build "$build" --target bench_publisher >build/bench.log 2>&1 ||
  { echo "bench: the build failed, see build/bench.log" >&2; exit 2; }

work=$(mktemp -d)
kafka=tests/support/stack/kafka.sh
trap '"$kafka" destroy "$work/kafka" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
brokers=$("$kafka" start "$work/kafka" -c log.segment.bytes=1073741824)

for codec in lz4 zstd lz4 zstd; do
  topic=bench-$RANDOM
  "$kafka" tool "$work/kafka" topics --create --topic "$topic" --partitions 6 \
    --config max.message.bytes=4194304 >/dev/null
  "$build/bin/bench_publisher" "$brokers" "$topic" "$records" "$codec" "$work/journal" 2>/dev/null
  rm -rf "$work/journal"
done
