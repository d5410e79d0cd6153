#!/usr/bin/env python3
"""How long SQL over an archive in S3 takes where every request waits: one day of exchanges in files of
ten seconds each and compacted, in versitygw behind a relay that holds each request back. Writes
bench/QUERY_S3.md.

    bench/query_s3.py BUILD_DIR [--rows 100000] [--delay 30]
"""

import argparse
import asyncio
import os
import pathlib
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DAY = "2026-01-15"
QUESTIONS = [
    ("an empty statement (start, list, views)", "SELECT 1"),
    ("count by status and path", "SELECT status, path, count(*) FROM exchanges GROUP BY ALL"),
    ("what one account got",
     "SELECT created_at, target, status FROM exchanges WHERE account_id = 'account-42'"),
]


class Relay:
    """Stands before a server and holds back what clients send, by `delay` seconds each time."""

    def __init__(self, target, delay):
        self.target, self.delay, self.requests, self.port = target, delay, 0, None
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(started)), daemon=True).start()
        started.wait()

    async def serve(self, started):
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await server.serve_forever()

    async def connected(self, reader, writer):
        onward, to = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self.pass_on(reader, to, self.delay), self.pass_on(onward, writer, 0))

    async def pass_on(self, reader, writer, delay):
        while data := await reader.read(65536):
            if delay:
                self.requests += 1
                await asyncio.sleep(delay)
            writer.write(data)
            await writer.drain()
        writer.close()


def versitygw(*arguments):
    return subprocess.run([str(ROOT / "tests/support/stack/versitygw.sh"), *arguments], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


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
        before, begin = relay.requests, time.monotonic()
        subprocess.run([seguectl, "query", "--no-tail", "-c", str(configuration), sql,
                        "archive:s3://traffic/day", "-o", "csv"], check=True,
                       stdout=subprocess.DEVNULL)
        rows.append((name, time.monotonic() - begin, relay.requests - before))
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
        settings = dict(line.split("=", 1)
                        for line in versitygw("start", str(work / "s3")).splitlines())
        try:
            # Objects of this server are files, so that the day is made as in a folder.
            day = work / "s3/objects/traffic/day"
            day.parent.mkdir(parents=True)
            subprocess.run([str(options.build / "bin/bench_query"), str(day), str(options.rows), DAY],
                           check=True, stdout=subprocess.DEVNULL)
            credentials = work / "credentials"
            credentials.write_text(
                f"{settings['AWS_ACCESS_KEY_ID']} {settings['AWS_SECRET_ACCESS_KEY']}\n")
            relay = Relay(int(settings["S3_ENDPOINT"].rsplit(":", 1)[1]), options.delay / 1000)
            write_configuration(work / "segue.yaml", f"http://127.0.0.1:{relay.port}", credentials)
            raw = measure(seguectl, work / "segue.yaml", relay)
            subprocess.run([seguectl, "compact", f"archive:{day}", "--yes", "--staging",
                            str(work / "staging")], check=True, stdout=subprocess.DEVNULL)
            compacted = measure(seguectl, work / "segue.yaml", relay)
        finally:
            versitygw("destroy", str(work / "s3"))
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
