"""What idle connections cost: memory for each, and latency of the others.

10,000 connections that have each made one request and wait for the next one, and a smaller number
over TLS. Memory is the growth of RssAnon over the same proxy after a load, divided by the
connections; what the kernel keeps for sockets comes on top and is the same for all. Normal traffic
is paced; its p99 is taken in rounds without and with them.
"""

import argparse
import pathlib
import socket
import ssl
import sys
import time

import edge
from compare import ROOT, WORK


class IdleConnections:
    """Connections of which each has had one answer. With the scope they are closed, and the proxy has
    seen that."""

    def __init__(self, proxy, count, tls):
        self.proxy, self.kept = proxy, []
        context = ssl.create_default_context(cafile=str(WORK / "idle.crt")) if tls else None
        port = proxy.ports["tls" if tls else "public"]
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            if tls:
                connection = context.wrap_socket(connection, server_hostname="localhost")
            self.kept.append(connection)
            connection.sendall(edge.REQUEST)
            if not edge.answered(connection):
                sys.exit(f"{proxy.name}: idle connection {len(self.kept)} had no whole answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.kept:
            connection.close()
        settle(self.proxy)


def memory_of(proxy, count, tls):
    """Bytes for each connection. A few that went before have warmed the pools."""
    with IdleConnections(proxy, 100, tls):
        pass
    before = proxy.anonymous()
    with IdleConnections(proxy, count, tls):
        return (proxy.anonymous() - before) / count


def settle(proxy):
    """Until the proxy has seen that all clients left."""
    for _ in range(200):
        if sum(proxy.established(name) for name in proxy.ports if name != "probe") == 0:
            break
        time.sleep(0.05)
    time.sleep(0.3)
    left = proxy.metrics().get("segue_connections", 0)
    if left != 0:
        sys.exit(f"{proxy.name}: {left:.0f} connections are open after all clients left")


def row(proxy, memory, rounds):
    return (f"| {proxy.name} | {memory['plain']:,.0f} | {memory['tls']:,.0f} "
            f"| {edge.latency_cells(rounds)}")


def main():
    parser = argparse.ArgumentParser(prog="bench/idle.sh", description=__doc__)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--tls-connections", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of load, for each side of a round")
    parser.add_argument("--rate", type=int, default=2000, help="requests/s of normal traffic")
    parser.add_argument("--segue", default=str(ROOT / "build/release/bin/segue"))
    parser.add_argument("--results", type=pathlib.Path, help="file to write a section of, e.g. bench/EDGE.md")
    options = parser.parse_args()
    edge.enough_descriptors(options.connections + 1000)

    WORK.mkdir(parents=True, exist_ok=True)
    for_segue, for_nginx = edge.make_certificate("idle", *edge.ECDSA)
    programs = []
    try:
        port, backend = edge.start_backend()
        programs.append(backend)
        segue = edge.start_segue(options.segue, port, tls={"tls": for_segue})
        programs.append(segue.program)
        nginx = edge.start_nginx(port, tls={"tls": for_nginx})
        programs.append(nginx.program)
        both = (segue, nginx)
        memory = {}
        for proxy in both:
            edge.latency(proxy, options)
            memory[proxy.name] = {"plain": memory_of(proxy, options.connections, tls=False),
                                  "tls": memory_of(proxy, options.tls_connections, tls=True)}
            print(f"  {proxy.name}: {memory[proxy.name]}", file=sys.stderr)
        rounds = {proxy.name: [] for proxy in both}
        for number in range(options.rounds):
            for proxy in both:
                rounds[proxy.name].append(edge.run_round(
                    "idle", number, proxy, options,
                    lambda: IdleConnections(proxy, options.connections, tls=False)))
    finally:
        for program in reversed(programs):
            program.stop()
    edge.write_section("Idle connections", [
        edge.provenance("idle.sh", options, [
            f"{options.connections:,} idle connections ({options.tls_connections:,} with TLS 1.3), each "
            f"after one request; normal traffic {options.rate:,} requests/s for {options.seconds} s"]),
        "", "| | bytes for an idle connection, plain | with TLS | p50 us, without / with them | p99 us "
        "| p99, with / without |",
        "|---|---|---|---|---|---|", *(row(proxy, memory[proxy.name], rounds[proxy.name]) for proxy in both),
        "", "Bytes are RssAnon, beyond what the kernel keeps for a socket."], options.results)


if __name__ == "__main__":
    main()
