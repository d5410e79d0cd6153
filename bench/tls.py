"""CPU of TLS in Segue and in nginx, in one interleaved run: full handshakes, resumed ones, bulk.

Both proxies are pinned to core 0 with one worker; backend and load run on core 1. A handshake is a
connection with one small request, as a client makes it; its cost is user and system time of the
proxy divided by the connections. So the client's own speed does not count, and handshakes a second
that one core could do are the inverse. Bulk is a 1 MiB answer over connections that are kept. The
certificate is ECDSA P-256 on both sides; Segue records every exchange, heads only.
"""

import argparse
import json
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import sys
import time

import compare
from compare import LOAD_CORE, PROXY_CORE, ROOT, WORK

MIB = 1 << 20
TITLES = {
    "full": "full handshake, one small request",
    "resumed": "resumed handshake (TLS 1.3 ticket), one small request",
    "bulk": "1 MiB of answer over a connection that is kept",
}

PROXY = """
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {work}/tls.crt; ssl_certificate_key {work}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_timeout 12h;
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
    }}
  }}
"""


def make_certificate():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(WORK / "tls.key"), "-out", str(WORK / "tls.crt")],
        check=True, capture_output=True)


def start_segue(port, probe, backend, options):
    compare.shutil.rmtree(WORK / "journal", ignore_errors=True)
    conf = WORK / "segue-tls.yaml"
    conf.write_text(f"""version: 1
cores: {{ count: 1 }}
listeners:
  public:
    address: "127.0.0.1:{port}"
    tls: {{ certificates: [{{ cert: tls.crt, key: {{ file: tls.key }} }}] }}
  probe: {{ address: "127.0.0.1:{probe}" }}
backends:
  legacy: {{ endpoints: ["127.0.0.1:{backend}"] }}
recorder:
  journal: {{ dir: {WORK / "journal"}, max_size: 512MiB, segment: 64MiB }}
defaults:
  record: {{ bodies: none }}
routes:
  all: {{ match: {{ prefix: / }}, to: legacy }}
""")
    command = [options.segue, "serve", "-c", str(conf)]
    return compare.Program("segue", PROXY_CORE, command).await_port(probe).await_port(port)


def connect(context, port, session):
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    client = context.wrap_socket(plain, server_hostname="localhost", session=session)
    client.sendall(b"GET /s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = b""
    while piece := client.recv(65536):
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        sys.exit(f"port {port} answers {answer[:80]!r}")
    return client


def handshakes(port, seconds, resume):
    """Run as a process of its own, on the core of the load. Prints how many, and how many resumed."""
    context = ssl.create_default_context(cafile=str(WORK / "tls.crt"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    session = connect(context, port, None).session if resume else None
    done = resumed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client = connect(context, port, session)
        done += 1
        resumed += client.session_reused
        client.close()
    print(json.dumps({"done": done, "resumed": resumed}))


def load(workload, port, seconds):
    """Units of work that were done: handshakes, or MiB."""
    if workload == "bulk":
        output = subprocess.run(
            ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", "8", "-d", f"{seconds}s",
             f"https://127.0.0.1:{port}/m"], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output or "Socket errors" in output:
            sys.exit(f"wrk: {output}")
        return int(re.search(r"(\d+) requests in", output).group(1))
    output = subprocess.run(
        ["taskset", "-c", LOAD_CORE, sys.executable, __file__, "--client", workload, str(port),
         str(seconds)], capture_output=True, text=True, check=True).stdout
    result = json.loads(output)
    wanted = result["done"] if workload == "resumed" else 0
    if result["done"] == 0 or result["resumed"] != wanted:
        sys.exit(f"{workload}: {result['resumed']} of {result['done']} handshakes were resumed")
    return result["done"]


def measure(proxy, workload, port, seconds):
    before, start = proxy.cpu_seconds(), time.monotonic()
    units = load(workload, port, seconds)
    return {"cpu": (proxy.cpu_seconds() - before) * 1e6 / units,
            "rate": units / (time.monotonic() - start)}


def run_workload(workload, nginx, segue, ports, options):
    rounds = []
    for proxy in ("nginx", "segue"):
        load(workload, ports[proxy], 1)
    for number in range(options.rounds):
        pair = (measure(nginx, workload, ports["nginx"], options.seconds),
                measure(segue, workload, ports["segue"], options.seconds))
        rounds.append(pair)
        print(f"  {workload} {number + 1}/{options.rounds}: nginx {pair[0]['cpu']:.0f} us, "
              f"segue {pair[1]['cpu']:.0f} us", file=sys.stderr)
    return rounds


def row(workload, rounds):
    ratios = [b["cpu"] / a["cpu"] for a, b in rounds]
    cpu = [statistics.median(pair[side]["cpu"] for pair in rounds) for side in (1, 0)]
    return (f"| {workload} | **{statistics.median(ratios):.2f}** | {min(ratios):.2f} to {max(ratios):.2f} "
            f"| {cpu[0]:.0f} / {cpu[1]:.0f} | {1e6 / cpu[0]:,.0f} / {1e6 / cpu[1]:,.0f} |")


def report(rows, options):
    return "\n".join([
        "# TLS of Segue and of nginx", "",
        f"Commit {compare.say(['git', 'rev-parse', '--short=12', 'HEAD'])}, made by `bench/tls.sh`; "
        f"{compare.machine()}; {compare.say(['nginx', '-v'])}; {compare.say(['openssl', 'version'])}; "
        f"ECDSA P-256, TLS 1.3; {options.rounds} rounds A B A B of {options.seconds} s.", "",
        "| | CPU ratio, median | range | CPU us, segue / nginx | a second and core, segue / nginx |",
        "|---|---|---|---|---|", *rows, "",
        *(f"- `{key}`: {text}" for key, text in TITLES.items()), ""])


def main():
    parser = argparse.ArgumentParser(prog="bench/tls.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of load, for each side of a round")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--results", type=pathlib.Path, help="file to write")
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        workload, port, seconds = options.client
        return handshakes(int(port), float(seconds), workload == "resumed")

    WORK.mkdir(parents=True, exist_ok=True)
    make_certificate()
    backend_port, nginx_port, segue_port, probe_port = compare.free_ports(4)
    ports = {"nginx": nginx_port, "segue": segue_port}
    programs = []
    try:
        body = compare.BACKEND.format(port=backend_port, small="x" * 200, headers="", work=WORK)
        (WORK / "m").write_bytes(b"m" * MIB)
        body = body.replace("location = /b", f"location = /m {{ root {WORK}; }} location = /b")
        programs.append(compare.start_nginx("backend", LOAD_CORE, backend_port, body))
        nginx = compare.start_nginx("proxy", PROXY_CORE, nginx_port, PROXY.format(
            port=nginx_port, backend=backend_port, work=WORK))
        programs.append(nginx)
        segue = start_segue(segue_port, probe_port, backend_port, options)
        programs.append(segue)
        rows = [row(workload, run_workload(workload, nginx, segue, ports, options))
                for workload in TITLES]
    finally:
        for program in reversed(programs):
            program.stop()
    text = report(rows, options)
    print(text)
    if options.results:
        options.results.write_text(text)


if __name__ == "__main__":
    main()
