"""The endpoint of a client to which tokens are pushed (CIBA Core 1.0, Section
10.3), in Python and its standard library only.

On standard input it is told what the client has asked, one JSON object a line:
auth_req_id, client_notification_token, issuer, client_id; and if wanted
"unavailable", how many calls are answered 500 first, and "later", by how many
seconds its clock is ahead. Each line is echoed when it counts. On standard
output it says what it made of each call, one JSON object a line: the status of
its answer, the SHA-256 of the body, and what was said or why it was refused.
It ends with its input.
"""
import argparse
import hashlib
import hmac
import json
import ssl
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pushed

LONGEST = 64 << 10  # bytes of a body


class Endpoint(BaseHTTPRequestHandler):
    timeout = 10  # seconds

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length <= LONGEST else b""
        status, verdict = self.judged(body)
        self.send_response(status)
        self.end_headers()
        say({"status": status, "sha256": hashlib.sha256(body).hexdigest(), **verdict})

    def judged(self, body):
        asked = self.server.asked_with(self.headers.get("Authorization", ""))
        if asked is None:
            return 401, {"refused": "the token is not one that was sent"}
        if asked.get("unavailable", 0) > 0:
            asked["unavailable"] -= 1
            return 500, {"refused": "unavailable"}
        if self.path != self.server.path or self.headers.get_content_type() != "application/json":
            return 400, {"refused": "it is not JSON for this endpoint"}
        try:
            return 204, {"said": pushed.check(body, asked, self.server.keys)}
        except pushed.Refused as why:
            return 400, {"refused": str(why)}

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    asked = ()

    def asked_with(self, authorization):
        """What was asked with a token, which is compared in constant time."""
        found = None
        for one in self.asked:
            expected = "Bearer " + one["client_notification_token"]
            if hmac.compare_digest(expected.encode(), authorization.encode()):
                found = one
        return found


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def keys_of(issuer, ca):
    """The keys of an issuer, as its metadata names them."""
    trusted = ssl.create_default_context(cafile=ca)

    def fetched(url):
        with urllib.request.urlopen(url, context=trusted, timeout=10) as answer:
            return json.load(answer)

    return fetched(fetched(issuer + "/.well-known/openid-configuration")["jwks_uri"])["keys"]


def main():
    flags = argparse.ArgumentParser(description="A client's endpoint to which tokens are pushed.")
    for name in ("port", "path", "cert", "key", "ca", "issuer"):
        flags.add_argument("--" + name, required=True)
    args = flags.parse_args()
    server = Server(("127.0.0.1", int(args.port)), Endpoint)
    server.path, server.keys = args.path, keys_of(args.issuer, args.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:
        one = json.loads(line)
        server.asked = (*server.asked, one)
        say(one)
    server.shutdown()


if __name__ == "__main__":
    main()
