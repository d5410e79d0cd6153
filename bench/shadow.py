"""What shadows cost clients: latency and CPU with and without, in one interleaved run.

One gateway for each way, pinned to core 0, of which one at a time is under load: no shadow at all,
every request copied to a backend as fast as the primary's, to a port where nobody listens, and to a
backend that never answers. Backends take 5 ms. Load comes at half of the rate that the gateway with
the shadow on copies when it is not held back. What counts is the median, over the rounds, of the
ratio to the run without shadow right before it; a round with the shadow on counts only when all but
1 % of the copies were sent.
"""

import argparse
import datetime
import os
import pathlib
import shutil
import statistics
import sys
import time

import compare
import paced
from compare import LOAD_CORE, PROXY_CORE, ROOT, WORK, Program

WAYS = {
    "on": "every request copied to a backend that answers",
    "dead": "every copy to a port where nobody listens",
    "stalled": "every copy to a backend that never answers",
}
BACKEND_MILLISECONDS = 5


def start_slow_backend(name, port, delay, options):
    command = [options.backend, str(port), str(delay)]
    return Program(name, LOAD_CORE, command).await_port(port)


def start_gateway(way, ports, shadow_port, options):
    journal = WORK / f"journal-{way}"
    shutil.rmtree(journal, ignore_errors=True)
    shadow = "" if way == "off" else ", shadow: { to: new, percent: 100, max_in_flight: 1000 }"
    conf = WORK / f"shadow-{way}.yaml"
    conf.write_text(f"""version: 1
cores: {{ count: 1 }}
listeners:
  public: {{ address: "127.0.0.1:{ports['public']}" }}
  probe: {{ address: "127.0.0.1:{ports['probe']}" }}
backends:
  legacy: {{ endpoints: ["127.0.0.1:{ports['legacy']}"] }}
  new: {{ endpoints: ["127.0.0.1:{shadow_port}"] }}
recorder:
  journal: {{ dir: {journal}, max_size: {options.max_size}, segment: 16MiB }}
defaults:
  record: {{ redact: {{ headers: [authorization, cookie, set-cookie] }} }}
routes:
  all: {{ match: {{ prefix: / }}, to: legacy{shadow} }}
""")
    command = [options.segue, "serve", "-c", str(conf)]
    return Program(f"segue-{way}", PROXY_CORE, command).await_port(ports["probe"]).await_port(
        ports["public"])


def measure(gateway, port, options, pause):
    before = gateway.cpu_seconds()
    result = paced.load(port, options.connections, pause, options.seconds)
    result["cpu"] = (gateway.cpu_seconds() - before) * 1e6 / result["requests"]
    return result


def copies(probe, result):
    return compare.metric(probe, rf'segue_shadow_requests_total\{{[^}}]*result="{result}"[^}}]*\}}')


def copied_rate(ports, options):
    """Requests a second that are answered and copied: over it copies are skipped, for requests."""
    before = copies(ports["probe"], "sent")
    result = paced.load(ports["public"], options.connections, 0, options.seconds)
    time.sleep(0.2)  # the last copies come to their end
    sent = copies(ports["probe"], "sent") - before
    return min(result["rate"], sent * 1e6 / result["microseconds"])


def finish_first_lap(ports, options):
    """Until the journal has been round once: from then on it recycles segments."""
    for _ in range(60):
        if compare.metric(ports["probe"], "segue_journal_overwritten_total") > 0:
            return
        paced.load(ports["public"], 256, 0, 1)
    sys.exit("the journal did not come round in 60 s: a smaller --max-size does")


def run_round(number, way, gateways, ports, options, pause):
    without = measure(gateways["off"], ports["off"]["public"], options, pause)
    sent = copies(ports[way]["probe"], "sent")
    with_shadow = measure(gateways[way], ports[way]["public"], options, pause)
    if way == "on":
        time.sleep(0.2)  # the last copies come to their end
        sent = copies(ports[way]["probe"], "sent") - sent
        if sent < 0.99 * with_shadow["requests"]:
            sys.exit(f"{sent:.0f} copies of {with_shadow['requests']} requests: the round does not "
                     "count")
    print(f"  {way} {number + 1}/{options.rounds}: p50 {without['p50']} -> {with_shadow['p50']} us, "
          f"p99 {without['p99']} -> {with_shadow['p99']} us, CPU {without['cpu']:.1f} -> "
          f"{with_shadow['cpu']:.1f} us", file=sys.stderr)
    return without, with_shadow


def row(way, rounds):
    def ratio(key):
        ratios = [b[key] / a[key] for a, b in rounds]
        return f"**{statistics.median(ratios):.3f}** ({min(ratios):.2f} to {max(ratios):.2f})"

    def both(key, form):
        return " / ".join(form.format(statistics.median(pair[side][key] for pair in rounds))
                          for side in (0, 1))

    cells = [way, ratio("p50"), ratio("p99"), both("p50", "{:.0f}"), both("p99", "{:.0f}"),
             both("cpu", "{:.1f}"), both("rate", "{:,.0f}")]
    return "| " + " | ".join(cells) + " |"


def report(rows, capacity, options):
    changed = (" (with local changes)"
               if compare.say(["git", "status", "--porcelain", "--untracked-files=no"]) else "")
    return "\n".join([
        "# What shadows cost clients", "",
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, commit "
        f"{compare.say(['git', 'rev-parse', '--short=12', 'HEAD'])}{changed}, made by "
        "`bench/shadow.sh`.", "",
        f"- Machine: {compare.machine()}; load average at the end {os.getloadavg()[0]:.1f}",
        f"- Backends take {BACKEND_MILLISECONDS} ms; gateway on core 0, backends and wrk on core 1; "
        "every exchange recorded, heads and bodies",
        f"- Copies/s when the load is not held back (copies give way): {capacity:,.0f}; measured at "
        f"{options.rate or capacity / 2:,.0f} requests/s, {options.connections} connections, "
        f"{options.rounds} rounds of {options.seconds} s, each right behind one without shadow", "",
        "| | p50, with / without | p99, with / without | p50 us, without / with | p99 us | "
        "CPU us a request | requests/s |",
        "|---|---|---|---|---|---|---|", *rows, "",
        *(f"- `{way}`: {text}" for way, text in WAYS.items()), "",
        "Ratios are medians of the rounds, with their range. At most 1.05 (p50) and 1.10 (p99) is "
        "the aim.", "",
    ])


def main():
    parser = argparse.ArgumentParser(prog="bench/shadow.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=5, help="of load, for each side of a round")
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--rate", type=int, help="requests/s; default: half of the capacity")
    parser.add_argument("--max-size", default="128MiB", help="of each journal")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--backend", default=str(ROOT / "build/release/bin/bench_slow_backend"))
    parser.add_argument("--results", type=pathlib.Path, help="file to write, e.g. bench/SHADOW.md")
    options = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the gateway, one for load and backends")

    WORK.mkdir(parents=True, exist_ok=True)
    ways = ["off", *WAYS]
    legacy, answering, dead, stalled, *rest = compare.free_ports(4 + 2 * len(ways))
    ports = {way: {"public": rest[2 * i], "probe": rest[2 * i + 1], "legacy": legacy}
             for i, way in enumerate(ways)}
    shadow_ports = {"off": answering, "on": answering, "dead": dead, "stalled": stalled}
    programs, gateways = [], {}
    try:
        programs.append(start_slow_backend("legacy", legacy, BACKEND_MILLISECONDS, options))
        programs.append(start_slow_backend("copies", answering, BACKEND_MILLISECONDS, options))
        programs.append(start_slow_backend("stalled", stalled, "never", options))
        for way in ways:
            gateways[way] = start_gateway(way, ports[way], shadow_ports[way], options)
            programs.append(gateways[way])
            finish_first_lap(ports[way], options)
        capacity = statistics.median(copied_rate(ports["on"], options) for _ in range(3))
        # Each connection: a pause, then an answer of a little over 5 ms.
        rate = options.rate or capacity / 2
        cycle = 1000 * options.connections / rate
        pause = round(max(1.0, cycle - BACKEND_MILLISECONDS - 0.5), 1)
        print(f"capacity {capacity:,.0f}/s, pause {pause} ms", file=sys.stderr)
        rounds = {way: [] for way in WAYS}
        for number in range(options.rounds):
            for way in WAYS:
                rounds[way].append(run_round(number, way, gateways, ports, options, pause))
        rows = [row(way, rounds[way]) for way in WAYS]
    finally:
        for program in reversed(programs):
            program.stop()
    text = report(rows, capacity, options)
    print(text)
    if options.results is not None:
        options.results.write_text(text)


if __name__ == "__main__":
    main()
