"""A stand-in for the Dataflow service: it takes jobs, and says that they run."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUNNING = 2
"""JOB_STATE_RUNNING, as Beam's client reads enums."""


class Service:
    """Records the jobs it is given."""

    def __init__(self):
        self.jobs = []
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # By this name Beam knows that it speaks plain HTTP.
        self.endpoint = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def create(self, job):
        """Answers as the service does: with the job, its id and its state."""
        number = len(self.jobs) + 1
        self.jobs.append(job)
        return {**job, "id": f"2026-01-01_{number}", "currentState": RUNNING}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.service.create(json.loads(body)))

    def do_GET(self):
        self._answer({})

    def _answer(self, content):
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running() -> Iterator[Service]:
    service = Service()
    try:
        yield service
    finally:
        service.close()
