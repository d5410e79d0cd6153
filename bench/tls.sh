#!/usr/bin/env bash
# TLS of Segue and of nginx, CPU per handshake and per GiB: bench/tls.sh [--workloads ecdsa,bulk] [--rounds 5] ...
# Installs nothing (setup/packages.sh build bench does); wants the release preset built.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin
for program in nginx wrk taskset python3 openssl; do
  if ! command -v $program >/dev/null; then
    echo "bench: $program is missing; run setup/packages.sh bench" >&2
    exit 2
  fi
done
exec env PYTHONDONTWRITEBYTECODE=1 python3 bench/tls.py "$@"
