#!/usr/bin/env bash
# Builds and runs every test. ./test.sh --long runs the long forms; ./test.sh STEP... only some of
# the steps: scripts servers release demo asan tsan. Details are in build/logs/STEP.log.
set -uo pipefail
cd "$(dirname "$0")" || exit 2

all_steps=(scripts servers release demo asan tsan)
steps=()
long=no
jobs=${SEGUE_JOBS:-2}
for argument in "$@"; do
  case $argument in
    --long)
      long=yes
      export SEGUE_TEST_ROUNDS=${SEGUE_TEST_ROUNDS:-500} SEGUE_FUZZ_SECONDS=${SEGUE_FUZZ_SECONDS:-600} ;;
    scripts | servers | release | demo | asan | tsan) steps+=("$argument") ;;
    *) sed -n '2,3s/^# //p' "$0"; exit 2 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=("${all_steps[@]}")

# A fresh clone in another folder finds what an earlier one compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

passed=0 failed=0
logs=build/logs
mkdir -p $logs
# Reports, and what is suppressed by name, need the names of functions.
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/lib/llvm-19/bin/llvm-symbolizer}
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/support/leaks.supp:print_suppressions=0
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

configure_and_build() {
  local preset=$1
  shift
  cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" "$@"
}

# The sanitizers of older compilers cannot place their shadow memory where the kernel randomises
# addresses widely, so tests run without that.
fixed_addresses() {
  if setarch "$(uname -m)" -R true 2>/dev/null; then
    setarch "$(uname -m)" -R "$@"
  else
    "$@"
  fi
}

run_ctest() {
  local preset=$1
  shift
  fixed_addresses ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error "$@"
}

# Tests on real brokers may be tried twice: servers and a load share a few cores with what is tested,
# and a broker that gets no processor for seconds is an outage that no test meant. Which were tried
# twice stands in the log ("Test #12" more than once).
run_all_tests() {
  local preset=$1 verdict=0 without=kafka
  [ $long = yes ] || without='(kafka|spark|trino)' # half a gigabyte to fetch for each, and minutes to run
  run_ctest "$preset" -LE "^$without\$" || verdict=1
  run_ctest "$preset" -L '^kafka$' --repeat until-pass:2 || verdict=1
  return $verdict
}

# Adds what ctest counted in a log: "97% tests passed, 3 tests failed out of 120".
count_tests() {
  local line total bad
  while read -r line; do
    bad=$(sed -E 's/.* ([0-9]+) tests? failed.*/\1/' <<<"$line")
    total=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$line")
    passed=$((passed + total - bad))
    failed=$((failed + bad))
  done < <(grep -E 'tests passed, [0-9]+ tests? failed out of [0-9]+' "$1")
}

step_scripts() {
  if ! command -v shellcheck >/dev/null; then
    echo "shellcheck is not installed: bash -n only"
    for script in *.sh setup/*.sh demo/*.sh deploy/*/*.sh tests/support/stack/*.sh .ci/run; do
      [ ! -e "$script" ] || bash -n "$script" || return 1
    done
    return 0
  fi
  find ./*.sh setup demo bench deploy tests/support/stack tests/fuzz .ci/run \( -name '*.sh' -o -name run \) -print0 | xargs -0 shellcheck
}

step_release() {
  configure_and_build release &&
    cmake --build --preset release -j "$jobs" --target all_verify_interface_header_sets &&
    run_all_tests release
}

# Fetches the servers that tests stand on, so that no test waits for the network. They stay in a
# cache outside the build folder; see tests/support/stack/launcher.sh.
step_servers() {
  local stack=tests/support/stack jobs=() job bad=0
  $stack/kafka.sh fetch || return 1 # the others find Maven's own parts then
  $stack/registry.sh fetch & jobs+=($!)
  $stack/connect.sh s3-sink & jobs+=($!)
  $stack/librdkafka.sh & jobs+=($!)
  $stack/s3.sh fetch & jobs+=($!)
  $stack/versitygw.sh fetch & jobs+=($!)
  $stack/http_cache.sh fetch & jobs+=($!)
  $stack/websocket.sh fetch & jobs+=($!)
  if [ $long = yes ]; then
    { $stack/spark.sh fetch && $stack/spark.sh s3-jars; } & jobs+=($!)
    $stack/trino.sh fetch & jobs+=($!)
  fi
  for job in "${jobs[@]}"; do wait "$job" || bad=1; done
  return $bad
}

# Runs end-to-end tests of the release build on the programs of another one: nothing of the product is
# linked into those tests. What a sanitizer finds ends the program with a report in a file, so that
# it counts whatever the test makes of that.
#   drive_programs PRESET CTEST-ARGUMENTS...
drive_programs() {
  local preset=$1 reports=$PWD/$logs/$1-report report verdict=0
  shift
  rm -f "$reports".*
  SEGUE_PROGRAMS=$PWD/build/$preset/bin ASAN_OPTIONS=log_path=$reports \
    UBSAN_OPTIONS=$UBSAN_OPTIONS:log_path=$reports TSAN_OPTIONS=$TSAN_OPTIONS:log_path=$reports \
    run_ctest release "$@" || verdict=1
  for report in "$reports".*; do
    [ ! -e "$report" ] || { cat "$report"; verdict=1; }
  done
  return $verdict
}

# The targets of end-to-end tests whose names these are.
end_to_end() {
  configure_and_build release --target segue seguectl "${@/%/_test}"
}

# Its preset leaves out the tests labelled `long`: they wait for servers more than they run this
# project's code. The fuzzers are among its tests.
step_asan() {
  local ends=(actions crowd e2e edge http_cases kafka_e2e reach restart shadow tls tunnel upstream)
  # Sanitizers open descriptors of their own.
  local without='GiB|without a descriptor' verdict=0
  end_to_end "${ends[@]}" && configure_and_build asan || return 1
  run_all_tests asan || verdict=1
  drive_programs asan -L "^($(IFS='|'; echo "${ends[*]}"))\$" -E "$without" \
    --repeat until-pass:2 || verdict=1
  return $verdict
}

# In the short form what takes long is left out.
step_tsan() {
  local folders='^(runtime|recorder|journal|publisher|publisher_kafka|live)$'
  local ends=(e2e http_cases shadow tls upstream) without='GiB' verdict=0
  if [ $long = yes ]; then
    ends+=(actions edge reach restart tunnel)
  else
    without+='|SIGKILL|planted|disk that fills'
  fi
  end_to_end "${ends[@]}" &&
    configure_and_build tsan --target runtime_test recorder_test journal_test publisher_test \
      publisher_kafka_test live_test segue seguectl || return 1
  run_ctest tsan -L "$folders" || verdict=1
  drive_programs tsan -L "^($(IFS='|'; echo "${ends[*]}"))\$" -E "$without" || verdict=1
  return $verdict
}

# show_demo NAME WANTED... -- ARGUMENTS: what the demo promises must be on its screen.
show_demo() {
  local screen=build/logs/$1.out wanted=() verdict=0 text
  shift
  while [ "$1" != -- ]; do
    wanted+=("$1")
    shift
  done
  shift
  ./demo.sh "$@" >"$screen" 2>&1 || verdict=1
  cat "$screen"
  for text in "${wanted[@]}"; do
    grep -q "$text" "$screen" || {
      echo "not on the screen: $text"
      verdict=1
    }
  done
  [ $verdict -eq 0 ] && passed=$((passed + 1))
  return $verdict
}

# The demo as a newcomer runs it. The failed order is the one with the bug that was put there.
step_demo() {
  setup/packages.sh build demo kafka || return 1
  show_demo demo 'POST /orders' "syntax error" 'search-beta  *new ' -- || return 1
  # What the gateway served is in the archive when it has ended: as much as the journal holds.
  local sql="SELECT count(*) FROM exchanges" counted journaled
  counted=$(build/release/bin/seguectl query "$sql" archive:data/demo/archive -o csv | tail -n 1)
  journaled=$(build/release/bin/seguectl query "$sql" journal:data/demo/journal -o csv | tail -n 1)
  if [ "$counted" -lt 100 ] || [ "$counted" != "$journaled" ]; then
    echo "the archive has $counted exchanges, the journal $journaled"
    return 1
  fi
  show_demo demo-kafka 'POST /orders' 'seguectl lag' 'shop.exchanges' -- --kafka || return 1
  # All that was started is gone.
  ! pgrep -f "kafka.Kafka $PWD/data/demo/kafka" >/dev/null
}

# What each failed test wrote, what a compiler or sanitizer found, and the end of the log.
show_failures() {
  awk '/^ *[0-9]+\/[0-9]+ Test +#|^ +Start +[0-9]+:/ { left = /\*\*\*/ ? 60 : 0 }
       /FAILED: |error:|ERROR: |broken invariant|WARNING: ThreadSanitizer/ && left < 30 { left = 30 }
       left > 0 { print; left-- }' "$1" | head -n 400
  echo "... the end of the log:"
  tail -n 20 "$1"
}

run_step() {
  local step=$1 log=$logs/$1.log start=$SECONDS before=$failed verdict=0
  printf '%-8s ' "$step"
  "step_$step" >"$log" 2>&1 || verdict=1
  count_tests "$log"
  # A step can fail without a failed test: a build, a script. It counts as one.
  [ "$failed" -gt "$before" ] || failed=$((failed + verdict))
  if [ $verdict -eq 0 ]; then
    printf 'ok      %4d s   %s\n' $((SECONDS - start)) "$log"
  else
    printf 'FAILED  %4d s   %s\n' $((SECONDS - start)) "$log"
    show_failures "$log" | sed 's/^/    /'
  fi
}

start=$SECONDS
if ! setup/packages.sh build test >$logs/setup.log 2>&1; then
  echo "setup    FAILED, see $logs/setup.log:"
  tail -n 20 $logs/setup.log
  exit 2
fi
for step in "${steps[@]}"; do run_step "$step"; done
echo "in $((SECONDS - start)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
