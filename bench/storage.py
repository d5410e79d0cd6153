"""What an exchange costs to keep: bytes in the journal, and in the archive by how many rows a file has.

A real gateway records traffic of an API behind a browser: about 700 bytes of request head, answers of
JSON of about 1.5 KB, each of its own. Then `seguectl archive` makes an archive of the journal, once
with few rows a file, as gateways with little traffic do at every flush, and once with many, which is
what compaction leaves (its files are written the same way, of more rows still).

With --s3 it counts what the archiver asks of a store, through a relay before versitygw.

    python3 bench/storage.py [--exchanges 20000] [--programs build/release/bin] [--s3]
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import s3_server

ROWS_OF_A_FILE = [10, 100, 1_000, 16_384, 131_072]
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/142.0.0.0 Safari/537.36",
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "en-GB,en;q=0.9,nl;q=0.8,fr;q=0.7",
    "Accept-Encoding": "identity",
    "Referer": "https://shop.example/searches?page=2&sort=price",
    "sec-ch-ua": '"Chromium";v="142", "Not A(Brand";v="99"',
    "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "Cache-Control": "no-cache",
}
WORDS = ("alder ash beech birch bridge brook castle chapel cliff copse dale fell field forest garden "
         "gate grove harbour heath hill lake lane marsh meadow mill moor oak orchard park pine pond "
         "quay ridge river road rose square station stone street tower valley view water well wood"
         ).split()


def document(chance, number):
    results = []
    while len(json.dumps(results)) < 1_300:
        name = " ".join(chance.choice(WORDS).title() for _ in range(3))
        results.append({"id": chance.randrange(10**7), "name": name,
                        "price": round(chance.random() * 900, 2), "stars": chance.randrange(6),
                        "available": chance.random() < 0.8})
    return json.dumps({"search": number, "total": chance.randrange(5_000), "results": results})


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        number = int(self.path.split("/")[2].split("?")[0])
        chance = random.Random(number)
        body = document(chance, number).encode()
        self.send_response(503 if chance.random() < 0.005 else 200)
        for name, value in {"Content-Type": "application/json; charset=utf-8",
                            "Cache-Control": "private, max-age=0", "Vary": "Accept-Encoding",
                            "X-Request-Id": f"{chance.getrandbits(64):016x}",
                            "Strict-Transport-Security": "max-age=31536000",
                            "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def gateway(work, programs, backend):
    ports = {"public": free_port(), "probe": free_port()}
    (work / "segue.yaml").write_text(f"""version: 1
cores: {{ count: 1 }}
listeners:
  public: {{ address: "127.0.0.1:{ports['public']}" }}
  probe: {{ address: "127.0.0.1:{ports['probe']}" }}
backends: {{ legacy: {{ endpoints: ["127.0.0.1:{backend}"] }} }}
access_log: {{ format: off }}
recorder: {{ journal: {{ dir: {work}/journal, max_size: 1GiB, segment: 16MiB }} }}
defaults:
  record: {{ key: "header:x-account", key_mode: plain, redact: {{ headers: [authorization, cookie] }} }}
routes:
  searches: {{ match: {{ path: "/searches/{{id}}" }}, to: legacy }}
""")
    process = subprocess.Popen([programs / "segue", "serve", "-c", work / "segue.yaml"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", ports["public"])) == 0:
                return process, ports["public"]
        time.sleep(0.05)
    process.kill()
    raise SystemExit("the gateway does not listen")


def ask(port, numbers):
    client = http.client.HTTPConnection("127.0.0.1", port)
    for number in numbers:
        client.request("GET", f"/searches/{number}?page={number % 7}", headers=BROWSER | {
            "Cookie": f"session={number * 7919:032x}", "X-Account": str(number % 5_000)})
        client.getresponse().read()
    client.close()


def bytes_of(folder, pattern):
    """Without the zeros that a segment is filled with."""
    return sum(len(path.read_bytes().rstrip(b"\0")) for path in folder.rglob(pattern))


def archive(work, programs, rows):
    folder = work / f"archive-{rows}"
    subprocess.run([programs / "seguectl", "archive", f"journal:{work}/journal", "--to",
                    f"archive:{folder}", "--once", "--flush-rows", str(rows),
                    "--switch-archive", "all"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = list((folder / "raw").rglob("*.parquet"))
    books = sum(path.stat().st_size for path in (folder / "_commits").rglob("*.json*"))
    shutil.rmtree(folder / "_commits")
    return len(files), sum(path.stat().st_size for path in files), books


def count_requests(work, programs, rows):
    with s3_server.S3Server(work / "s3") as server:
        relay = s3_server.Relay(server.port)
        subprocess.run(["curl", "-sf", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user",
                        ":".join(server.keys), "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                        server.endpoint + "/traffic"], check=True)
        with open(work / "segue.yaml", "a", encoding="utf-8") as config:
            config.write(f"archive: {{ to: archive:s3://traffic/segue, s3: {{ endpoint: "
                         f"'{relay.endpoint}' }} }}\n")
        subprocess.run([programs / "seguectl", "archive", f"journal:{work}/journal", "-c",
                        work / "segue.yaml", "--once", "--flush-rows", str(rows),
                        "--switch-archive", "all"], check=True,
                       env=os.environ | server.environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return dict(relay.counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=20_000)
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--s3", action="store_true")
    options = parser.parse_args()
    shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        process, port = gateway(work, options.programs.resolve(), shop.server_port)
        try:
            ask(port, range(options.exchanges))
        finally:
            process.terminate()
            process.wait()
        count = options.exchanges
        print(f"{count:,} exchanges\n\n| where | files | bytes an exchange | of the books |\n|---|---|---|---|")
        print(f"| journal | | {bytes_of(work / 'journal', '*.seg') / count:,.0f} | |")
        for rows in ROWS_OF_A_FILE:
            if rows < 100 and count > 5_000 or rows // 4 > count:
                continue
            files, size, books = archive(work, options.programs.resolve(), rows)
            print(f"| archive, {rows:,} rows a file | {files:,} | {size / count:,.0f} "
                  f"| {books / count:,.0f} |")
        if options.s3:
            claims = 40
            counts = count_requests(work, options.programs.resolve(), -(-count // claims))
            print(f"\n{claims} claims: {counts}, of which about a dozen are of the start")


main()
