#!/usr/bin/env bash
# Segue against nginx, CPU per request: bench/run.sh [--workloads shbp] [--rounds 7] [--seconds 4] ...
# Installs nothing (setup/packages.sh build bench does); builds the release preset when needed.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in nginx wrk taskset python3; do
  if ! PATH=$PATH:/usr/sbin command -v $program >/dev/null; then
    echo "bench: $program is missing; run setup/packages.sh bench" >&2
    exit 2
  fi
done
if [ ! -x build/release/bin/segue ]; then
  mkdir -p build
  { cmake --preset release && cmake --build --preset release --target segue; } >build/bench.log 2>&1
fi
PATH=$PATH:/usr/sbin exec python3 bench/compare.py "$@"
