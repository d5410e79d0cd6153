"""What abuse.py, idle.py and tls.py share: both proxies side by side, what the kernel knows of them,
and the file of results.
"""

import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import compare
import paced
from compare import LOAD_CORE, PROXY_CORE, WORK

MIB = 1 << 20
PLAIN = "listen 127.0.0.1:{port} backlog=4096;"
NGINX_PROXY = """
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
  {timeouts}
  server {{
    {listen}
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      {more}
    }}
  }}
"""


class Proxy:
    """A proxy under test: its program, and its ports by name (`public`, perhaps `tls`, `probe`)."""

    def __init__(self, name, program, ports):
        self.name, self.program, self.ports = name, program, ports

    @property
    def pid(self):
        return self.program.process.pid

    def anonymous(self):
        """Bytes of its own memory that are resident (RssAnon)."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) << 10

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.pid}/fd").iterdir()))

    def established(self, name="public"):
        """Connections to one of its ports that both sides hold, or that wait to be accepted."""
        wanted = f"0100007F:{self.ports[name]:04X}"
        rows = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        return sum(1 for row in rows if row.split()[1] == wanted and row.split()[3] == "01")

    def metrics(self):
        """Segue's counters and gauges by series; nginx has none."""
        if "probe" not in self.ports:
            return {}
        with compare.urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports['probe']}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return {series: float(value) for series, value in re.findall(r"^(segue\S*) (\S+)$", text, re.M)}


def start_backend(*more):
    """A backend that answers /s and whatever files `more` are, by name and size."""
    port, = compare.free_ports(1)
    body = compare.BACKEND.format(port=port, small="x" * 200, headers="", work=WORK)
    for name, size in more:
        (WORK / name).write_bytes(b"m" * size)
        body = body.replace("location = /b", f"location = /{name} {{ root {WORK}; }} location = /b")
    return port, compare.start_nginx("backend", LOAD_CORE, port, body)


RECORD = "{ redact: { headers: [authorization, cookie, set-cookie] } }"


def start_segue(program, backend, limits="{}", tls=None, prefix=(), name="segue", record=RECORD):
    """`tls`: flow YAML by listener; `prefix`: a command that runs it, such as prlimit."""
    tls = tls or {}
    names = ["public", *tls, "probe"]
    ports = dict(zip(names, compare.free_ports(len(names))))
    listeners = "".join(
        f'  {each}: {{ address: "127.0.0.1:{port}"{", tls: " + tls[each] if each in tls else ""} }}\n'
        for each, port in ports.items())
    journal = WORK / "journal" / name
    shutil.rmtree(journal, ignore_errors=True)
    conf = WORK / f"{name}-edge.yaml"
    conf.write_text(f"""version: 1
cores: {{ count: 1 }}
listeners:
{listeners}backends:
  legacy: {{ endpoints: ["127.0.0.1:{backend}"] }}
limits: {limits}
recorder:
  journal: {{ dir: {journal}, max_size: 256MiB, segment: 32MiB }}
defaults:
  record: {record}
routes:
  all: {{ match: {{ prefix: / }}, to: legacy }}
""")
    running = compare.Program(name, PROXY_CORE, [*prefix, program, "serve", "-c", str(conf)])
    return Proxy(name, running.await_port(ports["probe"]).await_port(ports["public"]), ports)


def start_nginx(backend, timeouts="", tls=None, more=""):
    """`tls`: the directives behind "listen ... ssl", by listener; `more`: of the location."""
    tls = tls or {}
    names = ["public", *tls]
    ports = dict(zip(names, compare.free_ports(len(names))))
    body = NGINX_PROXY.format(backend=backend, timeouts=timeouts, more=more,
                              listen=PLAIN.format(port=ports["public"]))
    for each, directives in tls.items():
        server = NGINX_PROXY.format(
            backend=backend, timeouts="", more=more,
            listen=f"listen 127.0.0.1:{ports[each]} ssl backlog=4096; {directives}")
        body += server[server.index("  server {"):]
    return Proxy("nginx", compare.start_nginx("proxy", PROXY_CORE, ports["public"], body), ports)


def make_certificate(name, *key):
    """A certificate for localhost in WORK; `key` as openssl req takes it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(WORK / f"{name}.key"),
         "-out", str(WORK / f"{name}.crt")], check=True, capture_output=True)
    return (f"{{ certificates: [{{ cert: {name}.crt, key: {{ file: {name}.key }} }}] }}",
            f"ssl_certificate {WORK}/{name}.crt; ssl_certificate_key {WORK}/{name}.key; "
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_timeout 12h;")


ECDSA = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("rsa:2048",)


def enough_descriptors(needed):
    if compare.descriptors() < needed:
        raise SystemExit(f"bench: {needed} descriptors are needed, the hard limit is "
                         f"{compare.descriptors()} (ulimit -Hn)")


def answered(connection):
    """Whether a small answer came whole on this socket."""
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"x" * 200):
        try:
            piece = connection.recv(4096)
        except OSError:
            return False
        if not piece:
            return False
        text += piece
    return text.startswith(b"HTTP/1.1 200")


REQUEST = b"GET /s HTTP/1.1\r\nHost: shop.example\r\nAccept: application/json\r\n\r\n"


def latency(proxy, options):
    """Normal traffic: what it saw of a proxy in `options.seconds`."""
    connections = 32
    return paced.load(proxy.ports["public"], connections, 1000 * connections / options.rate, options.seconds)


def run_round(label, number, proxy, options, burden):
    """Normal traffic alone and beside a burden, which is there for the scope that `burden` makes."""
    without = latency(proxy, options)
    with burden():
        beside = latency(proxy, options)
        held = proxy.established()
    print(f"  {label} {proxy.name} {number + 1}/{options.rounds}: p50 {without['p50']} -> {beside['p50']} us, "
          f"p99 {without['p99']} -> {beside['p99']} us, {held} connections held", file=sys.stderr)
    return without, beside


def latency_cells(rounds):
    """The last three cells of a row: p50 and p99 without / with, and what the burden makes of p99."""
    p50, p99 = medians(rounds, "p50"), medians(rounds, "p99")
    return (f"{p50['without']:.0f} / {p50['with']:.0f} | {p99['without']:.0f} / {p99['with']:.0f} "
            f"| **{p99['ratio']:.2f}** ({p99['least']:.2f} to {p99['most']:.2f}) |")


def medians(rounds, key):
    """Of pairs (without, with): median of each side and of the ratios, with their range."""
    ratios = [b[key] / a[key] for a, b in rounds]
    return {"without": statistics.median(a[key] for a, _ in rounds),
            "with": statistics.median(b[key] for _, b in rounds),
            "ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def write_section(title, lines, path):
    """Prints a section and, when `path` is given, puts it in the place of the one of that title."""
    section = "\n".join([f"## {title}", "", *lines, ""])
    print(section)
    if path is None:
        return
    text = path.read_text() if path.exists() else ""
    parts = re.split(r"(?m)^(?=## )", text)
    kept = [part.rstrip("\n") + "\n" for part in parts[1:] if not part.startswith(f"## {title}\n")]
    path.write_text("\n".join([parts[0].rstrip("\n") + "\n", *sorted([*kept, section])]))


def provenance(script, options, extra=()):
    return (f"Commit {compare.say(['git', 'rev-parse', '--short=12', 'HEAD'])}, made by `bench/{script}`; "
            f"{compare.machine()}; {compare.say(['nginx', '-v'])}; "
            + "; ".join([*extra, f"{options.rounds} rounds"]) + ".")
