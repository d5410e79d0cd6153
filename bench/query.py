#!/usr/bin/env python3
"""How long SQL over an archive takes: one day of a million exchanges, as files of ten seconds each and
compacted. Writes the table that docs/warehouse.md and bench/QUERY.md show.

    bench/query.py BUILD_DIR [ROWS]
"""

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


def measure(seguectl, source):
    times = []
    _, out = ask(seguectl, source, "SELECT id FROM exchanges LIMIT 1 OFFSET 500")
    some_id = out.split("\n")[1]
    times.append(("an empty statement (start, list, views)",
                  statistics.median(ask(seguectl, source, "SELECT 1")[0] for _ in range(RUNS))))
    for name, sql in QUESTIONS:
        sql = sql.format(id=some_id)
        times.append((name, statistics.median(ask(seguectl, source, sql)[0] for _ in range(RUNS))))
    begin = time.monotonic()
    subprocess.run([seguectl, "show", some_id, source], check=True, stdout=subprocess.DEVNULL)
    times.append(("`seguectl show ID`", time.monotonic() - begin))
    return times


def main():
    build = pathlib.Path(sys.argv[1])
    rows = sys.argv[2] if len(sys.argv) > 2 else "1000000"
    seguectl = str(build / "bin/seguectl")
    with tempfile.TemporaryDirectory(dir=build) as folder:
        archive = pathlib.Path(folder) / "archive"
        subprocess.run([str(build / "bin/bench_query"), str(archive), rows, DAY], check=True)
        source = f"archive:{archive}"
        raw = measure(seguectl, source)
        subprocess.run([seguectl, "compact", source, "--yes"], check=True)
        compact = measure(seguectl, source)
        size = sum(f.stat().st_size for f in (archive / "compact").rglob("*.parquet"))
    print(f"| {int(rows):,} exchanges, seconds of the whole command | files of 10 s | compacted |")
    print("|---|---:|---:|")
    for (name, before), (_, after) in zip(raw, compact):
        print(f"| {name} | {before:.2f} | {after:.2f} |")
    print(f"\n{size / int(rows):.0f} bytes an exchange, compacted.")


main()
