"""The way out of a launcher's machine: to Cloud Storage's emulator, and nowhere else.

TensorFlow looks at gs:// by a client of its own, in C++, which knows no emulator. It does know
proxies, and certificates. So its requests arrive here, as they would at Google: tf.Transform makes
a folder at launch. Uploads that are resumed are not forwarded: only workers write files so.
"""

import contextlib
import datetime
import http.client
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

STORAGE_HOSTS = ("storage.googleapis.com", "www.googleapis.com")
_OWN_HEADERS = ("host", "expect", "transfer-encoding")
_EMPTY = (
    b"--part\r\nContent-Type: application/json\r\n\r\n{}\r\n"
    b"--part\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--part--\r\n"
)


@dataclass
class Proxy:
    """A proxy that listens.

    Attributes:
      url: Where it listens.
      certificates: A file with the certificate that it shows.
      refused: The hosts that were asked for and are not reached.
    """

    url: str
    certificates: Path
    refused: set[str] = field(default_factory=set)


class _Forwarded(BaseHTTPRequestHandler):
    """Requests for Cloud Storage, within the tunnel."""

    protocol_version = "HTTP/1.1"
    emulator: str
    host: str

    def forward(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body, path = self.rfile.read(length), self.path
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _OWN_HEADERS}
        if not body and "uploadType=media" in path:
            # The emulator can't store an empty object so; TensorFlow marks folders by such.
            path = path.replace("uploadType=media", "uploadType=multipart")
            body, headers["Content-Type"] = _EMPTY, "multipart/related; boundary=part"
            headers["Content-Length"] = str(len(body))
        there = http.client.HTTPConnection(self.emulator, timeout=30)
        try:
            there.request(self.command, path, body, headers)
            answer = there.getresponse()
            self._answer(answer, answer.read())
        finally:
            there.close()

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        """Hands an answer on, within a connection that stays open."""
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = forward

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Tunnel(BaseHTTPRequestHandler):
    """Requests for a way to somewhere."""

    proxy: Proxy
    emulator: str
    context: ssl.SSLContext

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        if host not in STORAGE_HOSTS:
            self.proxy.refused.add(host)
            self.send_error(403, "nothing leaves this machine")
            return
        self.send_response(200)
        self.end_headers()
        names = {"emulator": self.emulator, "host": host}
        handler = type("Forwarded", (_Forwarded,), names)
        with contextlib.suppress(OSError), self._secured() as inner:
            handler(inner, self.client_address, self.server)

    def _secured(self) -> ssl.SSLSocket:
        return self.context.wrap_socket(self.connection, server_side=True)

    def refuse(self) -> None:
        self.proxy.refused.add(urlsplit(self.path).hostname or self.path)
        self.send_error(403, "nothing leaves this machine")

    do_GET = do_POST = do_PUT = refuse

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def way_out(emulator: str, folder: Path) -> Iterator[Proxy]:
    """Serves the way out of a launcher's machine.

    Args:
      emulator: The URL of Cloud Storage's emulator.
      folder: Where the certificate is stored.
    """
    pem, context = certificate(folder), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    proxy = Proxy("", pem)
    parts: dict[str, Any] = {"proxy": proxy, "context": context}
    parts["emulator"] = urlsplit(emulator).netloc
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Tunnel", (_Tunnel,), parts))
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> Path:
    """Makes a key, and a certificate of the hosts of Cloud Storage that it signs itself.

    Returns: The file of both.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Millrace rehearsal")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in STORAGE_HOSTS]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "storage.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return pem
