"""CPU of TLS in Segue and in nginx, in one interleaved run: handshakes, full and resumed, and bulk.

Both proxies are pinned to core 0 with one worker; backend and load run on core 1. A handshake is a
connection with one small request, made by four `openssl s_time` at once; its cost is user and system
time of the proxy divided by the connections. So the clients' own speed does not count, and the
handshakes a second that one core could do are the inverse. Bulk is answers of 1 MiB over connections
that are kept, with TLS and without. Segue records every exchange, heads only.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import time

import compare
import edge
from compare import LOAD_CORE, ROOT, WORK

TITLES = {
    "ecdsa": "full handshake, ECDSA P-256, one small request",
    "rsa": "full handshake, RSA 2048, one small request",
    "resumed": "resumed handshake (TLS 1.3 ticket), one small request",
    "bulk": "answers of 1 MiB with TLS (AES-256-GCM) over 8 connections that are kept",
    "plain": "the same without TLS",
}
BULK = {"bulk": ("https", "ecdsa"), "plain": ("http", "public")}
# By default nginx would put most of such an answer into a temporary file.
IN_MEMORY = ("proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; "
             "proxy_max_temp_file_size 0;")
CLIENTS = 4
# s_time writes "GET ... HTTP/1.0": this makes a whole request of it.
PATH = "/s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Rest:"


def handshakes(port, seconds, resume):
    """How many were done. Every one of them was resumed, or none."""
    command = ["taskset", "-c", LOAD_CORE, "openssl", "s_time", "-connect", f"127.0.0.1:{port}",
               "-reuse" if resume else "-new", "-www", PATH, "-tls1_3", "-time", str(seconds)]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for _ in range(CLIENTS)]
    done = 0
    for client in clients:
        output, _ = client.communicate()
        marks = "".join(re.findall(r"^[tr*]+$", output, re.M))
        count = re.search(r"^(\d+) connections in \d+ real", output, re.M)
        if client.returncode != 0 or count is None or int(count[1]) == 0:
            sys.exit(f"openssl s_time on port {port}: {output[-300:]}")
        resumed = marks.count("r")
        if resumed < int(count[1]) if resume else resumed != 0:
            sys.exit(f"{resumed} of {count[1]} handshakes were resumed")
        done += int(count[1]) + resume  # the first one, which the others resume
    return done


def load(workload, proxy, seconds):
    """Units of work that were done: handshakes, or MiB."""
    if workload not in BULK:
        port = proxy.ports["rsa" if workload == "rsa" else "ecdsa"]
        return handshakes(port, seconds, workload == "resumed")
    scheme, listener = BULK[workload]
    output = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", "8", "-d", f"{seconds}s",
         f"{scheme}://127.0.0.1:{proxy.ports[listener]}/m"], capture_output=True, text=True,
        check=True).stdout
    done = int(re.search(r"(\d+) requests in", output).group(1))
    if "Non-2xx" in output or "Socket errors" in output or done == 0:
        sys.exit(f"wrk: {output}")
    return done


def measure(proxy, workload, seconds):
    """Microseconds of CPU for a unit."""
    before = proxy.program.cpu_seconds()
    units = load(workload, proxy, seconds)
    time.sleep(0.1)  # the last connections are closed
    return (proxy.program.cpu_seconds() - before) * 1e6 / units


def run_workload(workload, nginx, segue, options):
    rounds = []
    for proxy in (nginx, segue):
        load(workload, proxy, 1)
    for number in range(options.rounds):
        order = (nginx, segue) if number % 2 == 0 else (segue, nginx)
        cost = {proxy.name: measure(proxy, workload, options.seconds) for proxy in order}
        rounds.append((cost["nginx"], cost["segue"]))
        print(f"  {workload} {number + 1}/{options.rounds}: nginx {cost['nginx']:.0f} us, "
              f"segue {cost['segue']:.0f} us", file=sys.stderr)
    return rounds


def row(workload, rounds):
    ratios = [segue / nginx for nginx, segue in rounds]
    nginx, segue = (statistics.median(pair[side] for pair in rounds) for side in (0, 1))
    head = (f"| {workload} | **{statistics.median(ratios):.2f}** | {min(ratios):.2f} to "
            f"{max(ratios):.2f} | ")
    if workload in BULK:  # a unit is a MiB
        return head + (f"{segue * 1024 / 1e6:.2f} / {nginx * 1024 / 1e6:.2f} s a GiB "
                       f"| {1e6 / segue:,.0f} / {1e6 / nginx:,.0f} MiB |")
    return head + f"{segue:.0f} / {nginx:.0f} us | {1e6 / segue:,.0f} / {1e6 / nginx:,.0f} |"


def main():
    parser = argparse.ArgumentParser(prog="bench/tls.sh", description=__doc__)
    parser.add_argument("--workloads", default=",".join(TITLES), help="of " + ", ".join(TITLES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load, for each side of a round")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--results", type=pathlib.Path, help="file to write a section of, e.g. bench/EDGE.md")
    options = parser.parse_args()
    workloads = options.workloads.split(",")
    if unknown := set(workloads) - set(TITLES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")

    WORK.mkdir(parents=True, exist_ok=True)
    keys = {"ecdsa": edge.make_certificate("ecdsa", *edge.ECDSA),
            "rsa": edge.make_certificate("rsa", *edge.RSA)}
    programs = []
    try:
        port, backend = edge.start_backend(("m", edge.MIB))
        programs.append(backend)
        nginx = edge.start_nginx(port, more=IN_MEMORY,
                                 tls={name: files for name, (_, files) in keys.items()})
        programs.append(nginx.program)
        segue = edge.start_segue(options.segue, port, record="{ bodies: none }",
                                 tls={name: files for name, (files, _) in keys.items()})
        programs.append(segue.program)
        rows = [row(workload, run_workload(workload, nginx, segue, options)) for workload in workloads]
    finally:
        for program in reversed(programs):
            program.stop()
    edge.write_section("TLS", [
        edge.provenance("tls.sh", options, [
            compare.say(["openssl", "version"]), f"TLS 1.3; A B B A, {options.seconds} s each"]),
        "", "| | CPU ratio, median | range | CPU, segue / nginx | a second and core, segue / nginx |",
        "|---|---|---|---|---|", *rows, "",
        *(f"- `{key}`: {TITLES[key]}" for key in workloads)], options.results)


if __name__ == "__main__":
    main()
