#!/usr/bin/env bash
# One fuzzer, from its seeds: run.sh build/asan/bin/fuzz_NAME [libFuzzer's options]. It looks for
# SEGUE_FUZZ_SECONDS (12) and keeps what it learns in build/corpus/NAME.
set -euo pipefail
fuzzer=$(realpath "$1")
shift
cd "$(dirname "$0")/../.."
name=${fuzzer##*/fuzz_}
corpus=build/corpus/$name
mkdir -p "$corpus"
exec "$fuzzer" "-max_total_time=${SEGUE_FUZZ_SECONDS:-12}" -timeout=10 -rss_limit_mb=2048 \
  -print_final_stats=1 "-artifact_prefix=$corpus-" "$@" "$corpus" "tests/fuzz/corpus/$name"
