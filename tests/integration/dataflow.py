"""A stand-in for the Dataflow service: it takes jobs, says how they are, updates and ends them."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RUNNING, DONE, FAILED, CANCELLED, UPDATED, DRAINING, DRAINED = 2, 3, 4, 5, 6, 7, 8
"""States of jobs, as Beam's client reads enums."""
_JOBS = re.compile(r"/v1b3/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/jobs(/.*)?")
_PAGE = 2


class Service:
    """Records the jobs it is given.

    Attributes:
      jobs: What was submitted, in order.
      states: The state of each job, by id.
      requests: The path and the parameters of each request to look at something.
      lasts: How often a job is looked at until it is done; None for ever.
      ends_as: The state in which it ends then.
      errors: What the service says went wrong.
    """

    def __init__(self):
        self.jobs, self.states, self.requests = [], {}, []
        self.lasts, self.ends_as, self.errors = None, DONE, []
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
        made = {**job, "id": f"2026-01-01_{len(self.jobs) + 1}"}
        if replaced := job.get("replaceJobId"):
            assert self.states[replaced] == RUNNING, "the service would refuse that"
            self.states[replaced] = UPDATED
        self.jobs.append(made)
        self.states[made["id"]] = RUNNING
        return self.shown(made)

    def shown(self, job, whole=True):
        kept = job if whole else {name: job[name] for name in ("id", "name", "type") if name in job}
        return {**kept, "currentState": self.states[job["id"]]}

    def look(self, job_id):
        """A job as it is now; what is asked of it goes on a little with each look."""
        job = next(job for job in self.jobs if job["id"] == job_id)
        if self.states[job_id] == DRAINING:
            self.states[job_id] = DRAINED
        elif self.states[job_id] == RUNNING and self.lasts is not None:
            self.lasts -= 1
            if self.lasts < 0:
                self.states[job_id] = self.ends_as
        return self.shown(job)

    def page(self, token):
        """Two jobs at a time; the page after the last is named by an empty text, as Google does."""
        begin = int(token or 0)
        found = [self.shown(job, whole=False) for job in self.jobs[begin : begin + _PAGE]]
        more = begin + _PAGE < len(self.jobs)
        return {"jobs": found, "nextPageToken": str(begin + _PAGE) if more else ""}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self._answer(self.service.create(self._body()))

    def do_PUT(self):
        job_id = urlsplit(self.path).path.rpartition("/")[2]
        self.service.states[job_id] = self._body()["requestedState"]
        self._answer(self.service.look(job_id))

    def do_GET(self):
        parts = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = _JOBS.fullmatch(parts.path)
        rest = (found[3] if found else "") or ""
        self.service.requests.append((parts.path, given))
        if not rest:
            self._answer(self.service.page(given.get("pageToken")))
        elif rest.endswith("/messages"):
            told = [
                {"id": str(at), "time": "2026-01-01T00:00:00Z", "messageText": text,
                 "messageImportance": 5}
                for at, text in enumerate(self.service.errors)
            ]  # fmt: skip
            self._answer({"jobMessages": told})
        elif rest.endswith("/metrics"):
            self._answer({})
        else:
            self._answer(self.service.look(rest.removeprefix("/")))

    def _body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

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
