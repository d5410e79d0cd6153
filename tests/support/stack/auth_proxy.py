#!/usr/bin/env python3
"""A small reverse proxy for tests: basic authentication and optional TLS before an HTTP server.

auth_proxy.py LISTEN_PORT TARGET_PORT USER:PASSWORD [CERT KEY]      (127.0.0.1 only)
"""
import base64
import http.client
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LISTEN, TARGET, USER = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
WANTED = "Basic " + base64.b64encode(USER.encode()).decode()
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server")
NOT_FORWARDED = ("host", "connection", "authorization", "content-length")


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def ask(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", TARGET, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in NOT_FORWARDED}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        result = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return result

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") == WANTED:
            status, headers, data = self.ask(body)
        else:
            status, data = 401, b'{"error_code":401,"message":"Unauthorized"}'
            headers = [("WWW-Authenticate", 'Basic realm="registry"'),
                       ("Content-Type", "application/json")]
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = relay

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", LISTEN), Proxy)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
server.serve_forever()
