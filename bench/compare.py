"""CPU microseconds per request of Segue and of nginx, or of another Segue, in one interleaved run.

Both proxies are pinned to core 0 with one worker; the backend (nginx with canned answers) and the
load (wrk) run on core 1. The figure is user and system time of the whole process, all threads, from
/proc/PID/stat, divided by the requests served; what counts is the median of the ratios of each round.
A round counts only when Segue recorded as many exchanges as were sent.

--against PROGRAM takes another build of segue in nginx's place, with the same configuration and a
journal of its own: did it become dearer? The two take turns in going first.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "bench"
TITLES = {
    "s": "small GET, 200 B of JSON",
    "h": "the same with a browser's headers and as many in the answer",
    "b": "answer of 16 KiB",
    "p": "POST of 4 KiB",
}
PROXY_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 32


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Program:
    """A process pinned to one core; stopped at the end of the run."""

    def __init__(self, name, core, command):
        self.name = name
        self.log = WORK / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", core, *command], stdout=log, stderr=log)

    def await_port(self, port):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return self
            time.sleep(0.1)
        self.stop()
        sys.exit(f"{self.name} does not listen on port {port}:\n{self.log.read_text()}")

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


NGINX = """
daemon off; master_process off; worker_processes 1; pid {work}/{name}.pid;
error_log {work}/{name}.error.log;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {work}/{name}-1; proxy_temp_path {work}/{name}-2;
  fastcgi_temp_path {work}/{name}-3; uwsgi_temp_path {work}/{name}-4; scgi_temp_path {work}/{name}-5;
  {body}
}}
"""

BACKEND = """
  sendfile on; open_file_cache max=16 inactive=1h;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location = /s {{ return 200 '{small}'; }}
    location = /p {{ return 200 '{small}'; }}
    location = /h {{ {headers} return 200 '{small}'; }}
    location = /b {{ root {work}; }}
  }}
"""

PROXY = """
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
    }}
  }}
"""

ANSWER_HEADERS = {
    "Cache-Control": "private, max-age=0, must-revalidate",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' https://img.shop.example data:; "
                               "script-src 'self' 'nonce-4f1c9a'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
    "Set-Cookie": "session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI1ZjJjODFkMGI3In0.c2lnbmF0dXJl; "
                  "Path=/; HttpOnly; Secure; SameSite=Lax",
    "X-Request-Id": "0199c2f4-6b1e-7c33-9d8e-3a5c1f20b7aa",
    "Server-Timing": "db;dur=3.1, render;dur=1.2",
}


def descriptors():
    """How many the programs that are started from here may open: as many as the system lets them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def start_nginx(name, core, port, body):
    conf = WORK / f"{name}.conf"
    conf.write_text(NGINX.format(work=WORK, name=name, body=body, files=min(20000, descriptors())))
    command = ["nginx", "-p", str(WORK), "-c", str(conf)]
    return Program(name, core, command).await_port(port)


def start_backend(port):
    small = json.dumps({"id": 42, "name": "Music stand", "note": "x" * 156})
    headers = "".join(f'add_header {name} "{value}"; ' for name, value in ANSWER_HEADERS.items())
    (WORK / "b").write_text(json.dumps({"rows": "y" * (16 * 1024 - 12)}))
    body = BACKEND.format(port=port, small=small, headers=headers, work=WORK)
    return start_nginx("backend", LOAD_CORE, port, body)


class Proxy:
    """What is measured: a program, where it listens, and how its records are counted, if it keeps
    any (`probe`)."""

    def __init__(self, name, program, port, probe=None):
        self.name, self.program, self.port, self.probe = name, program, port, probe

    def recorded(self):
        return metric(self.probe, r'segue_record_exchanges_total\{[^}]*result="recorded"[^}]*\}')

    def await_recorded(self, least):
        """The count, once it has reached `least`: exchanges cut by wrk's end are recorded too."""
        for _ in range(50):
            count = self.recorded()
            if count >= least:
                return count
            time.sleep(0.1)
        return count


def start_segue(name, program, backend, options):
    port, probe = free_ports(2)
    journal = (options.journal or WORK / "journal") / name
    shutil.rmtree(journal, ignore_errors=True)
    others = "".join(
        f'  r{n}: {{ match: {{ method: GET, path: "/area{n}/{{id:[0-9]+}}" }}, to: legacy }}\n'
        for n in range(options.routes - 1))
    record = ("none" if options.no_recording else
              "{ bodies: { max: 1MiB }, redact: { headers: [authorization, cookie, set-cookie] } }")
    conf = WORK / f"{name}.yaml"
    conf.write_text(f"""version: 1
cores: {{ count: 1 }}
listeners:
  public: {{ address: "127.0.0.1:{port}" }}
  probe: {{ address: "127.0.0.1:{probe}" }}
backends:
  legacy: {{ endpoints: ["127.0.0.1:{backend}"] }}
recorder:
  journal: {{ dir: {journal}, max_size: {options.max_size}, segment: 64MiB }}
defaults:
  record: {record}
routes:
  all: {{ match: {{ prefix: / }}, to: legacy }}
{others}""")
    command = [program, "serve", "-c", str(conf)]
    running = Program(name, PROXY_CORE, command).await_port(probe).await_port(port)
    return Proxy(name, running, port, None if options.no_recording else probe)


def start_yardstick(backend, options):
    if options.against:
        return start_segue("before", options.against, backend, options)
    port, = free_ports(1)
    body = PROXY.format(port=port, backend=backend)
    return Proxy("nginx", start_nginx("proxy", PROXY_CORE, port, body), port)


def metric(probe, pattern):
    with urllib.request.urlopen(f"http://127.0.0.1:{probe}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(row) for row in re.findall(rf"^{pattern} (\S+)", text, re.M))


def finish_first_lap(proxy):
    """Loads Segue until its journal has been round once: from then on it recycles segments, as a
    gateway does all its life but its first minutes. The first lap takes memory and disk anew."""
    for _ in range(60):
        if proxy.probe is None or metric(proxy.probe, "segue_journal_overwritten_total") > 0:
            return
        load(proxy.port, "b", 1)
    sys.exit("the journal did not come round in 60 s: a smaller --max-size does")


def load(port, workload, seconds):
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s",
               "-s", str(ROOT / "bench" / "workload.lua"), f"http://127.0.0.1:{port}/{workload}",
               "--", workload]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
    if result["failed"] or result["requests"] == 0:
        sys.exit(f"wrk: {result['failed']} of {result['requests']} requests failed")
    return result


def measure(proxy, workload, seconds):
    kept = proxy.recorded() if proxy.probe else 0
    before = proxy.program.cpu_seconds()
    result = load(proxy.port, workload, seconds)
    result["cpu"] = (proxy.program.cpu_seconds() - before) * 1e6 / result["requests"]
    result["rate"] = result["requests"] * 1e6 / result["microseconds"]
    if proxy.probe:
        kept = proxy.await_recorded(kept + result["requests"]) - kept
        if not result["requests"] <= kept <= result["requests"] + CONNECTIONS:
            sys.exit(f"{workload}: {proxy.name} recorded {kept:.0f} of {result['requests']} sent: "
                     "the run does not count")
    return result


def run_workload(workload, yardstick, segue, options):
    """For each round what the yardstick did and what Segue did."""
    rounds = []
    for proxy in (yardstick, segue):
        load(proxy.port, workload, 1)
    for number in range(options.rounds):
        order = (yardstick, segue) if number % 2 == 0 else (segue, yardstick)
        results = {proxy.name: measure(proxy, workload, options.seconds) for proxy in order}
        a, b = results[yardstick.name], results[segue.name]
        rounds.append((a, b))
        print(f"  {workload} {number + 1}/{options.rounds}: {yardstick.name} {a['cpu']:.1f} us, "
              f"segue {b['cpu']:.1f} us, ratio {b['cpu'] / a['cpu']:.2f}", file=sys.stderr)
    return rounds


def row(workload, rounds):
    ratios = [b["cpu"] / a["cpu"] for a, b in rounds]
    median = {side: {key: statistics.median(pair[index][key] for pair in rounds)
                     for key in ("cpu", "rate", "p50", "p99")}
              for index, side in enumerate(("yardstick", "segue"))}
    cells = [workload, f"**{statistics.median(ratios):.2f}**", f"{min(ratios):.2f} to {max(ratios):.2f}"]
    for key, form in (("cpu", "{:.1f}"), ("rate", "{:,.0f}"), ("p50", "{:.0f}"), ("p99", "{:.0f}")):
        cells.append(" / ".join(form.format(median[side][key]) for side in ("segue", "yardstick")))
    return "| " + " | ".join(cells) + " |"


def machine():
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 30
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, {memory} GiB, "
            f"Linux {platform.release()}")


def say(command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return (done.stdout + done.stderr).strip()


def report(rows, options):
    recording = "off" if options.no_recording else (
        f"every exchange, heads and bodies, into a journal of {options.max_size} that has been round once")
    changed = " (with local changes)" if say(["git", "status", "--porcelain", "--untracked-files=no"]) else ""
    other = f"segue before ({options.against})" if options.against else "nginx"
    beside = (f"{other} and segue now, both" if options.against else
              f"{say(['nginx', '-v'])}, recording nothing; Segue")
    lines = [
        f"# Segue and {other}, CPU per request", "",
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, "
        f"commit {say(['git', 'rev-parse', '--short=12', 'HEAD'])}{changed}, made by `bench/run.sh`.", "",
        f"- Machine: {machine()}",
        f"- {beside} recording: {recording}; "
        f"{options.routes} routes, limits, deadlines and metrics on",
        f"- {options.rounds} rounds A B B A of {options.seconds} s, wrk with {CONNECTIONS} connections; "
        "proxies on core 0, backend and wrk on core 1", "",
        f"| | CPU ratio, median | range | CPU us, segue / {'before' if options.against else 'nginx'} | "
        "requests/s | p50 us | p99 us |",
        "|---|---|---|---|---|---|---|", *rows, "",
        *(f"- `{key}`: {TITLES[key]}" for key in options.workloads), "",
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("--workloads", default="shbp", help="letters of s, h, b, p")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4, help="of load, for each side of a round")
    parser.add_argument("--routes", type=int, default=100)
    parser.add_argument("--no-recording", action="store_true")
    parser.add_argument("--max-size", default="512MiB", help="of the journal")
    parser.add_argument("--journal", type=pathlib.Path, help="folder, emptied first; default build/bench/journal")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--against", metavar="PROGRAM", help="another segue, in the place of nginx")
    parser.add_argument("--results", type=pathlib.Path, help="file to write; default bench/RESULTS.md "
                        "after a run of all workloads with recording")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(TITLES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the proxy, one for load and backend")

    WORK.mkdir(parents=True, exist_ok=True)
    backend, = free_ports(1)
    programs = []
    try:
        programs.append(start_backend(backend))
        yardstick = start_yardstick(backend, options)
        programs.append(yardstick.program)
        segue = start_segue("segue", options.segue, backend, options)
        programs.append(segue.program)
        for proxy in (yardstick, segue):
            finish_first_lap(proxy)
        rows = [row(workload, run_workload(workload, yardstick, segue, options))
                for workload in options.workloads]
    finally:
        for program in reversed(programs):
            program.stop()
    text = report(rows, options)
    print(text)
    results = options.results
    usual = set(options.workloads) == set(TITLES) and not options.no_recording
    if results is None and usual and not options.against:
        results = ROOT / "bench" / "RESULTS.md"
    if results is not None:
        results.write_text(text)


if __name__ == "__main__":
    main()
