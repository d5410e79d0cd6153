#!/usr/bin/env bash
# Normal traffic while attackers hold slow connections, beside nginx: bench/abuse.sh [--connections 500] [--rounds 3] ...
# Installs nothing (setup/packages.sh build bench does); wants the release preset built.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1
for program in nginx wrk taskset python3 slowhttptest prlimit; do
  if ! command -v "$program" >/dev/null; then
    echo "bench: $program is missing; run setup/packages.sh bench" >&2
    exit 2
  fi
done
exec python3 bench/abuse.py "$@"
