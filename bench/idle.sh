#!/usr/bin/env bash
# What idle connections cost beside nginx, memory and latency: bench/idle.sh [--connections 10000] [--rounds 3] ...
# Installs nothing (setup/packages.sh build bench does); wants the release preset built.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1
for program in nginx wrk taskset python3 openssl; do
  if ! command -v "$program" >/dev/null; then
    echo "bench: $program is missing; run setup/packages.sh bench" >&2
    exit 2
  fi
done
exec python3 bench/idle.py "$@"
