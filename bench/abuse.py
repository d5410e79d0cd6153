"""Normal traffic while attackers hold slow connections (slowhttptest), and at the descriptor limit.

Rounds: normal traffic alone, then the same while 500 connections send their heads, or their bodies,
or read their answers, a few bytes a second. Then what becomes of such connections when they are let
to go on, all three kinds at once: how many are cut within a minute, and by which limit. Both proxies
have the same limits (head 10 s, body 30 s, taking the answer 30 s).

Last a gateway that may open 1,024 descriptors meets 3,000 clients that do not leave: it must not
die, must not spin, and must serve as before when they have left.
"""

import argparse
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import time

import compare
import edge
from compare import LOAD_CORE, ROOT, WORK

MODES = {
    "headers": (["-H", "-x", "24"], "s", "heads that do not end, a field a second"),
    "body": (["-B", "-s", "8192", "-x", "10"], "s", "bodies of 8 KiB, some 10 bytes a second"),
    "read": (["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"], "m",
             "answers of 1 MiB, read 32 bytes a second"),
}
NGINX_TIMEOUTS = "client_header_timeout 10s; client_body_timeout 30s; send_timeout 30s;"
FATE_SECONDS = 60
DESCRIPTORS, CROWD = 1024, 3000


class Attack:
    """slowhttptest with its connections open; it and they are gone with the scope."""

    def __init__(self, proxy, modes, connections):
        self.proxy = proxy
        self.tools = []
        for mode in modes:
            arguments, path, _ = MODES[mode]
            log = open(WORK / f"slowhttptest-{mode}.log", "wb")
            self.tools.append(subprocess.Popen(
                ["taskset", "-c", LOAD_CORE, "slowhttptest", "-c", str(connections), "-r", str(connections),
                 "-l", "600", "-i", "1", "-p", "5", "-u",
                 f"http://127.0.0.1:{proxy.ports['public']}/{path}", *arguments],
                stdout=log, stderr=log))
            log.close()
        for _ in range(200):
            if proxy.established() >= len(modes) * connections:
                return self.await_calm()
            time.sleep(0.05)
        self.__exit__()
        sys.exit(f"{proxy.name}: only {proxy.established()} slow connections came to be")

    def await_calm(self):
        """Until the kernel has taken what it takes of 500 answers: that is work, but no attack."""
        for _ in range(40):
            before = self.proxy.program.cpu_seconds()
            time.sleep(0.5)
            if self.proxy.program.cpu_seconds() - before < 0.05:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tool in self.tools:
            tool.send_signal(signal.SIGKILL)
            tool.wait()
        for _ in range(200):  # what it held is closed on both sides
            if self.proxy.established() == 0:
                return
            time.sleep(0.05)


def limits_in(metrics):
    found = {}
    for series, value in metrics.items():
        if (limit := re.match(r'segue_limit_refusals_total\{.*limit="([a-z_]+)"', series)):
            found[limit.group(1)] = found.get(limit.group(1), 0) + value
    return found


def fate_row(proxy, options):
    """What becomes of 500 slow connections of each kind that are let to go on."""
    memory, before = proxy.anonymous(), limits_in(proxy.metrics())
    most = memory
    with Attack(proxy, list(MODES), options.connections) as attack:
        start, all_gone = time.monotonic(), None
        while time.monotonic() - start < FATE_SECONDS:
            most = max(most, proxy.anonymous())
            left = proxy.established()
            if left == 0 or all(tool.poll() is not None for tool in attack.tools):
                all_gone = time.monotonic() - start
                break
            time.sleep(0.25)
    by = ", ".join(f"{name} {count - before.get(name, 0):.0f}"
                   for name, count in sorted(limits_in(proxy.metrics()).items())
                   if count > before.get(name, 0))
    end = f"all, within {all_gone:.0f} s" if all_gone else f"{len(MODES) * options.connections - left} of " \
        f"{len(MODES) * options.connections} within {FATE_SECONDS} s"
    return f"| {proxy.name} | {end} | {by or 'not counted'} | {(most - memory) / edge.MIB:.1f} MiB |"


class Crowd:
    """Clients that connect, send a request each, and stay whether or not an answer comes."""

    def __init__(self, proxy, count):
        self.waiting, self.answers, self.closed = select.epoll(), {}, 0
        self.open = {}
        for _ in range(count):
            client = socket.socket()
            client.settimeout(10)
            try:
                client.connect(("127.0.0.1", proxy.ports["public"]))
                client.sendall(edge.REQUEST)
            except OSError:
                client.close()
                continue
            client.setblocking(False)
            self.open[client.fileno()] = client
            self.waiting.register(client.fileno(), select.EPOLLIN)

    def listen(self, seconds):
        """Counts answers by status for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for number, _ in self.waiting.poll(left, 1000):
                try:
                    text = self.open[number].recv(4096)
                except OSError:
                    text = b""
                if text.startswith(b"HTTP/1.1 "):
                    status = int(text[9:12])
                    self.answers[status] = self.answers.get(status, 0) + 1
                elif not text:
                    self.closed += 1
                    self.waiting.unregister(number)
                    self.open.pop(number).close()

    def leave(self):
        for client in self.open.values():
            client.close()
        self.waiting.close()


def descriptor_limit(program, backend):
    """Lines that say how a gateway at its descriptor limit did; ends the run if it did not live."""
    limit = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    proxy = edge.start_segue(program, backend, limits="{ keep_alive: 5m }", prefix=limit, name="narrow")
    try:
        at_rest = proxy.descriptors()
        crowd = Crowd(proxy, CROWD)
        crowd.listen(4)
        cpu = proxy.program.cpu_seconds()
        crowd.listen(3)
        cpu = (proxy.program.cpu_seconds() - cpu) / 3
        if proxy.program.process.poll() is not None:
            sys.exit("the gateway died at the descriptor limit")
        most = proxy.descriptors()
        try:
            metrics = proxy.metrics()
        except OSError as failed:
            sys.exit(f"the probe listener does not answer at the descriptor limit: {failed}")
        pauses = sum(value for series, value in metrics.items()
                     if series.startswith("segue_accept_pauses_total"))
        answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(crowd.answers.items()))
        crowd.leave()
        recovered = recovery_seconds(proxy, at_rest)
    finally:
        proxy.program.stop()
    if proxy.program.process.returncode != 0:
        sys.exit(f"the gateway ended with {proxy.program.process.returncode}")
    return [f"A gateway that may open {DESCRIPTORS:,} descriptors, and {CROWD:,} clients that send a request and "
            f"stay: {most:,} descriptors open, answers by status: {answers}; accepting paused {pauses:,.0f} times; "
            f"CPU meanwhile {100 * cpu:.1f} % of a core. After they left it served again and was back at its "
            f"{at_rest} descriptors within {recovered:.1f} s."]


def recovery_seconds(proxy, at_rest):
    start = time.monotonic()
    while time.monotonic() - start < 30:
        with socket.create_connection(("127.0.0.1", proxy.ports["public"]), timeout=10) as client:
            client.sendall(edge.REQUEST)
            served = edge.answered(client)
        open_now = sum(value for series, value in proxy.metrics().items()
                       if re.match(r"segue_connections( |\{|$)", series))
        # One is this client's, which may not have been seen to leave; others are kept to backends.
        if served and open_now <= 1 and proxy.descriptors() <= at_rest + 16:
            return time.monotonic() - start
        time.sleep(0.1)
    sys.exit(f"no recovery: {open_now:.0f} connections and {proxy.descriptors()} descriptors are open "
             f"({at_rest} before)")


def main():
    parser = argparse.ArgumentParser(prog="bench/abuse.sh", description=__doc__)
    parser.add_argument("--connections", type=int, default=500, help="slow ones, of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load, for each side of a round; up to 6")
    parser.add_argument("--rate", type=int, default=2000, help="requests/s of normal traffic")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--results", type=pathlib.Path, help="file to write a section of, e.g. bench/EDGE.md")
    options = parser.parse_args()
    if options.seconds > 6:
        parser.error("--seconds is at most 6: heads are cut after 10")
    edge.enough_descriptors(2 * CROWD)

    WORK.mkdir(parents=True, exist_ok=True)
    programs = []
    try:
        port, backend = edge.start_backend(("m", edge.MIB))
        programs.append(backend)
        segue = edge.start_segue(options.segue, port)
        programs.append(segue.program)
        nginx = edge.start_nginx(port, timeouts=NGINX_TIMEOUTS)
        programs.append(nginx.program)
        both = (segue, nginx)
        for proxy in both:
            edge.latency(proxy, options)
        rounds = {(mode, proxy.name): [] for mode in MODES for proxy in both}
        for number in range(options.rounds):
            for mode in MODES:
                for proxy in both:
                    rounds[mode, proxy.name].append(edge.run_round(
                        mode, number, proxy, options, lambda: Attack(proxy, [mode], options.connections)))
        rows = [f"| {mode} | {proxy.name} | {edge.latency_cells(rounds[mode, proxy.name])}"
                for mode in MODES for proxy in both]
        fates = [fate_row(proxy, options) for proxy in both]
        narrow = descriptor_limit(options.segue, port)
    finally:
        for program in reversed(programs):
            program.stop()
    edge.write_section("Abuse", [
        edge.provenance("abuse.sh", options, [
            f"{options.connections} slow connections of a kind (slowhttptest), normal traffic "
            f"{options.rate:,} requests/s for {options.seconds} s"]),
        "", "| attack | | p50 us, without / with | p99 us, without / with | p99, with / without |",
        "|---|---|---|---|---|", *rows, "", *(f"- `{mode}`: {MODES[mode][2]}" for mode in MODES), "",
        "At most 1.20 is the aim. What becomes of them when they go on, all three kinds at once:", "",
        "| | cut | by limit | memory at most, above rest |", "|---|---|---|---|", *fates, "",
        "An answer that fits into the kernel's send buffers is over for the proxy; its connection idles until "
        "the keep-alive time.", "", *narrow],
        options.results)


if __name__ == "__main__":
    main()
