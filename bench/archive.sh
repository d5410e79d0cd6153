#!/usr/bin/env bash
# Encoding the archive's files, on one core: bench/archive.sh [BUILD_FOLDER] >bench/ARCHIVE.md
# Three rounds each of API exchanges of 2.3 KB and of exchanges with a body of 1 MiB.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
if [ ! -d "$build" ]; then
  mkdir -p build
  cmake --preset release >build/bench.log 2>&1
fi
if [ -z "${SEGUE_BENCH_BUILT:-}" ]; then
  cmake --build "$build" --target bench_archive >build/bench.log 2>&1 ||
    { echo "bench: the build failed, see build/bench.log" >&2; exit 2; }
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpu=$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | sed 's/^ *//')
cat <<END
# Encoding the archive's files

$(date -u '+%Y-%m-%d %H:%M') UTC, commit $(git rev-parse --short=12 HEAD), made by \`bench/archive.sh\`.

- Machine: $cpu, $(nproc) cores, Linux $(uname -r); load $(cut -d' ' -f1-3 /proc/loadavg) when it began
- Protobuf records through one table function and COPY into a synced Parquet file with its SHA-256: one thread
- The process holds up to 32 MiB of records to encode; its memory before is that and DuckDB

| rows | bytes a record | rows/s a core | rows/s by the clock | CPU s | bytes a row in the file | MiB before | MiB at most |
|---|---|---|---|---|---|---|---|
END
for _ in 1 2 3; do echo "| $("$build/bin/bench_archive" 131072 2300 "$work/a.parquet") |"; done
for _ in 1 2 3; do echo "| $("$build/bin/bench_archive" 1000 1048576 "$work/b.parquet") |"; done
