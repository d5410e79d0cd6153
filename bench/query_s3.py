#!/usr/bin/env python3
"""How long SQL over an archive in S3 takes where every request waits: one day of exchanges in files of
ten seconds each and compacted, in versitygw behind a relay that holds each request back. Writes
bench/QUERY_S3.md.

    bench/query_s3.py BUILD_DIR [--rows 100000] [--delay 30]
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

import s3_server

ROOT = pathlib.Path(__file__).resolve().parent.parent
DAY = "2026-01-15"
QUESTIONS = [
    ("an empty statement (start, list, views)", "SELECT 1"),
    ("count by status and path", "SELECT status, path, count(*) FROM exchanges GROUP BY ALL"),
    ("what one account got",
     "SELECT created_at, target, status FROM exchanges WHERE account_id = 'account-42'"),
]


def write_configuration(path, endpoint, credentials):
    path.write_text(f"""version: 1
listeners: {{ public: {{ address: "127.0.0.1:0" }} }}
backends: {{ legacy: {{ endpoints: ["127.0.0.1:1"] }} }}
archive:
  to: archive:s3://traffic/day
  s3: {{ endpoint: "{endpoint}", path_style: true, credentials: {{ file: {credentials} }} }}
routes:
  all: {{ match: {{ prefix: / }}, to: legacy, record: none }}
""")


def measure(seguectl, configuration, relay):
    rows = []
    for name, sql in QUESTIONS:
        before, begin = relay.counts.total(), time.monotonic()
        subprocess.run([seguectl, "query", "--no-tail", "-c", str(configuration), sql,
                        "archive:s3://traffic/day", "-o", "csv"], check=True,
                       stdout=subprocess.DEVNULL)
        rows.append((name, time.monotonic() - begin, relay.counts.total() - before))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--delay", type=float, default=30, help="of each request, in milliseconds")
    options = parser.parse_args()
    seguectl = str(options.build.resolve() / "bin/seguectl")
    with tempfile.TemporaryDirectory(dir=options.build) as folder:
        work = pathlib.Path(folder).resolve()
        with s3_server.S3Server(work / "s3") as server:
            # Objects of this server are files, so that the day is made as in a folder.
            day = server.objects / "traffic/day"
            day.parent.mkdir(parents=True)
            subprocess.run([str(options.build / "bin/bench_query"), str(day), str(options.rows), DAY],
                           check=True, stdout=subprocess.DEVNULL)
            credentials = work / "credentials"
            credentials.write_text(" ".join(server.keys) + "\n")
            relay = s3_server.Relay(server.port, options.delay / 1000)
            write_configuration(work / "segue.yaml", relay.endpoint, credentials)
            raw = measure(seguectl, work / "segue.yaml", relay)
            subprocess.run([seguectl, "compact", f"archive:{day}", "--yes", "--staging",
                            str(work / "staging")], check=True, stdout=subprocess.DEVNULL)
            compacted = measure(seguectl, work / "segue.yaml", relay)
    lines = ["# SQL over an archive in S3", "",
             f"Made by `bench/query_s3.py`: {options.rows:,} exchanges of a day in versitygw on the same "
             f"machine, each request held back for {options.delay:.0f} ms, {os.cpu_count()} processors, "
             "one run each.", "",
             "| seconds (requests) | files of 10 s | compacted |", "|---|---:|---:|"]
    for (name, seconds, requests), (_, less, fewer) in zip(raw, compacted):
        lines.append(f"| {name} | {seconds:.1f} ({requests:,}) | {less:.1f} ({fewer:,}) |")
    text = "\n".join(lines) + "\n"
    (ROOT / "bench/QUERY_S3.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
