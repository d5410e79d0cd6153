"""Clients that pause between their requests: load at a given rate, for latencies."""

import json
import subprocess
import sys

from compare import LOAD_CORE, ROOT


def load(port, connections, pause, seconds):
    """What bench/paced.lua says, `pause` milliseconds between a connection's requests, and a rate."""
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(connections), "-d",
               f"{seconds}s", "-s", str(ROOT / "bench" / "paced.lua"), f"http://127.0.0.1:{port}/s",
               "--", str(pause)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
    if result["failed"] or result["requests"] == 0:
        sys.exit(f"wrk: {result['failed']} of {result['requests']} requests failed")
    result["rate"] = result["requests"] * 1e6 / result["microseconds"]
    return result
