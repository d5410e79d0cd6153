"""An S3 server of this machine (versitygw), and a relay before it: what measurements of S3 stand on."""

import asyncio
import collections
import pathlib
import re
import subprocess
import threading

LAUNCHER = pathlib.Path(__file__).resolve().parents[1] / "tests/support/stack/versitygw.sh"
REQUEST = re.compile(rb"(GET|PUT|HEAD|POST|DELETE) /[^ ?\r\n]*(\?[^ ]*)? HTTP/1")


class S3Server:
    """Runs within a `with`, over a folder that goes with it. Its objects are files, too:
    objects/BUCKET/KEY."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        started = subprocess.run([LAUNCHER, "start", self.folder], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        self.environment = dict(line.split("=", 1) for line in started.split())
        self.endpoint = self.environment["S3_ENDPOINT"]
        self.objects = self.folder / "objects"
        return self

    def __exit__(self, *_):
        subprocess.run([LAUNCHER, "destroy", self.folder], check=True, stdout=subprocess.DEVNULL)

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def keys(self):
        """Of its one user: the access key's id and secret."""
        return self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]


class Relay:
    """Stands before a server, counts requests by what they ask (a GET with a query lists), and holds
    back what clients send, by `delay` seconds each time."""

    def __init__(self, target, delay=0.0):
        self.target, self.delay, self.port = target, delay, None
        self.counts = collections.Counter()
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(started)), daemon=True).start()
        started.wait()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, started):
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await server.serve_forever()

    async def connected(self, reader, writer):
        onward, to = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self.pass_on(reader, to, self.hold_back), self.pass_on(onward, writer))

    async def hold_back(self, data):
        for method, query in REQUEST.findall(data):
            lists = method == b"GET" and b"list-type" in query
            self.counts["LIST" if lists else method.decode()] += 1
        if self.delay:
            await asyncio.sleep(self.delay)

    @staticmethod
    async def pass_on(reader, writer, before=None):
        """Until either side ends."""
        try:
            while data := await reader.read(1 << 20):
                if before:
                    await before(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()
