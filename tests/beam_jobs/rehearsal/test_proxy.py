"""The way out of a launcher's machine: to Cloud Storage's emulator, and nowhere else."""

import http.client
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from beam_jobs.rehearsal.proxy import way_out


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked for."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = {"path": self.path, "body": body.decode(), "type": self.headers["Content-Type"]}
        content = json.dumps(told).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with way_out(f"http://127.0.0.1:{server.server_port}", tmp_path) as found:
        yield found
    server.shutdown()
    server.server_close()


def tunnel(proxy, host):
    context = ssl.create_default_context(cafile=proxy.certificates)
    port = int(proxy.url.rpartition(":")[2])
    made = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    made.set_tunnel(host, 443)
    return made


def test_requests_for_cloud_storage_go_to_the_emulator(proxy):
    there = tunnel(proxy, "storage.googleapis.com")
    for body in ("first", "second, on the same connection"):
        there.request("POST", "/storage/v1/b?x=1", body, {"Content-Type": "text/plain"})
        answer = there.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 201
        assert told == {"path": "/storage/v1/b?x=1", "body": body, "type": "text/plain"}
    there.close()
    assert proxy.refused == set()


def test_an_empty_object_is_uploaded_in_a_form_that_the_emulator_can_store(proxy):
    there = tunnel(proxy, "www.googleapis.com")
    there.request("POST", "/upload/storage/v1/b/x/o?uploadType=media&name=a%2F", b"")
    told = json.loads(there.getresponse().read())
    there.close()
    assert told["path"] == "/upload/storage/v1/b/x/o?uploadType=multipart&name=a%2F"
    assert told["type"] == "multipart/related; boundary=part"
    assert told["body"].startswith("--part\r\nContent-Type: application/json\r\n\r\n{}")


def test_nothing_else_is_reached_and_all_of_it_is_told(proxy):
    with pytest.raises(OSError, match="403"):
        tunnel(proxy, "dlp.googleapis.com").request("GET", "/")
    plain = http.client.HTTPConnection("127.0.0.1", int(proxy.url.rpartition(":")[2]), timeout=10)
    plain.request("GET", "http://example.com/x")
    assert plain.getresponse().status == 403
    plain.close()
    assert proxy.refused == {"dlp.googleapis.com", "example.com"}
