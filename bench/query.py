#!/usr/bin/env python3
"""How long SQL over an archive takes: one day of a million exchanges, as files of ten seconds each and
compacted. Writes bench/QUERY.md, with the load of the machine at each of its halves: figures taken while
others work are no figures.

    bench/query.py BUILD_DIR [ROWS]
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

DAY = "2026-01-15"
RUNS = 5
QUESTIONS = [
    ("count by status and path", "SELECT status, path, count(*) FROM exchanges GROUP BY ALL"),
    ("count by status and path template",
     "SELECT status, path_template, count(*) FROM exchanges GROUP BY ALL"),
    ("failures of the day", "SELECT id, created_at, target FROM exchanges WHERE status >= 500"),
    ("what one account got",
     "SELECT created_at, target, status FROM exchanges WHERE account_id = 'account-42'"),
    ("by id", "SELECT * FROM exchanges WHERE id = '{id}'"),
    ("how each ended (outcome)", "SELECT outcome, count(*) FROM exchanges GROUP BY ALL"),
    ("a condition on JSON of all bodies",
     "SELECT count(*) FROM exchanges WHERE (response_body->>'$.total')::INT > 990"),
]


def ask(seguectl, source, sql):
    begin = time.monotonic()
    out = subprocess.run([seguectl, "query", sql, source, "-o", "csv"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return time.monotonic() - begin, out


def load():
    return " ".join(f"{average:.1f}" for average in os.getloadavg())


def measure(seguectl, source):
    times = []
    print(f"load {load()}: {source}", file=sys.stderr)
    _, out = ask(seguectl, source, "SELECT id FROM exchanges LIMIT 1 OFFSET 500")
    some_id = out.split("\n")[1]
    times.append(("an empty statement (start, list, views)",
                  statistics.median(ask(seguectl, source, "SELECT 1")[0] for _ in range(RUNS))))
    for name, sql in QUESTIONS:
        sql = sql.format(id=some_id)
        times.append((name, statistics.median(ask(seguectl, source, sql)[0] for _ in range(RUNS))))
        print(f"{times[-1][1]:8.2f} s  {name}", file=sys.stderr)
    begin = time.monotonic()
    subprocess.run([seguectl, "show", some_id, source], check=True, stdout=subprocess.DEVNULL)
    times.append(("`seguectl show ID`", time.monotonic() - begin))
    return times


def table(rows, before, after, loads, size):
    lines = [f"# SQL over an archive of {rows:,} exchanges of one day", "",
             f"Made by `bench/query.py`: {os.cpu_count()} processors, medians of {RUNS} runs, everything in "
             "the page cache. Seconds are of the whole command; its start, the listing and the views are "
             "in the first line. The load of the machine (1, 5, 15 minutes) was "
             f"{loads[0]} before the raw files, {loads[1]} before the compacted ones and {loads[2]} at "
             "the end.", "",
             "| seconds | files of 10 s | compacted |", "|---|---:|---:|"]
    for (name, raw), (_, compacted) in zip(before, after):
        lines.append(f"| {name} | {raw:.2f} | {compacted:.2f} |")
    return "\n".join(lines) + f"\n\nCompacted, an exchange has {size / rows:.0f} bytes.\n"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    seguectl = str(build / "bin/seguectl")
    loads = []
    with tempfile.TemporaryDirectory(dir=build) as folder:
        archive = pathlib.Path(folder) / "archive"
        subprocess.run([str(build / "bin/bench_query"), str(archive), str(rows), DAY], check=True)
        source = f"archive:{archive}"
        loads.append(load())
        raw = measure(seguectl, source)
        begin = time.monotonic()
        subprocess.run([seguectl, "compact", source, "--yes", "--staging", f"{folder}/staging"],
                       check=True)
        print(f"compacted in {time.monotonic() - begin:.0f} s", file=sys.stderr)
        loads.append(load())
        compacted = measure(seguectl, source)
        loads.append(load())
        size = sum(f.stat().st_size for f in (archive / "compact").rglob("*.parquet"))
    text = table(rows, raw, compacted, loads, size)
    (pathlib.Path(__file__).parent / "QUERY.md").write_text(text)
    print(text)


main()
