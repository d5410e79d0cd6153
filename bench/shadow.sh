#!/usr/bin/env bash
# What shadows cost clients: bench/shadow.sh [--rounds 9] [--seconds 5] [--results bench/SHADOW.md] ...
# Installs nothing (setup/packages.sh build bench does); builds the release preset when needed.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in wrk taskset python3; do
  if ! command -v $program >/dev/null; then
    echo "bench: $program is missing; run setup/packages.sh bench" >&2
    exit 2
  fi
done
if [ ! -x build/release/bin/segue ] || [ ! -x build/release/bin/bench_slow_backend ]; then
  mkdir -p build
  { cmake --preset release &&
    cmake --build --preset release --target segue --target bench_slow_backend; } >build/bench.log 2>&1 ||
    { echo "bench: the build failed, see build/bench.log" >&2; exit 2; }
fi
exec python3 bench/shadow.py "$@"
