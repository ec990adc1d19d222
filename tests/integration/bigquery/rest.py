"""The part of BigQuery's REST interface that reads and loads need: tables and load jobs."""

import json
import re
import sys
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.integration.bigquery.store import Refusal, Table

TABLE = re.compile(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)/tables(?:/([^/]+))?")
INSERT = re.compile(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)/insertAll")
DATASET = re.compile(r"/bigquery/v2/projects/([^/]+)/datasets(?:/([^/]+))?")
SHAPE = ("timePartitioning", "clustering", "expirationTime")
JOB = re.compile(r"(/upload|/resumable/upload)?/bigquery/v2/projects/([^/]+)/jobs(?:/([^/]+))?")


def _table(table: Table):
    project, dataset, name = table.name.split(".")
    return {
        "kind": "bigquery#table",
        "id": f"{project}:{dataset}.{name}",
        "tableReference": {"projectId": project, "datasetId": dataset, "tableId": name},
        "schema": {"fields": table.fields},
        "type": table.kind,
        "numRows": str(table.rows.num_rows + table.inserted),
        "numBytes": str(table.rows.nbytes),
        "creationTime": str(int(table.created.timestamp() * 1000)),
        "location": "US",
        **table.more,
    }


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Says nothing of clients that were killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Rest:
    """Serves a store's tables and jobs over HTTP; `address` is its URL."""

    def __init__(self, store, port=0):
        self.store, self.uploads = store, {}
        rest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer in two writes would wait for the client's acknowledgement.
            wbufsize = -1

            def log_message(self, *_):
                pass

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                try:
                    with rest.store.lock:
                        found = rest.route(self.command, self.path, self.headers, body)
                    code, headers, content = found
                except Refusal as refusal:
                    code, headers = refusal.code, {}
                    error = {"reason": refusal.reason, "message": refusal.message}
                    content = {
                        "error": {"code": code, "message": refusal.message, "errors": [error]}
                    }
                text = b"" if content is None else json.dumps(content).encode()
                self.send_response(code)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer

        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self):
        self._server.serve_forever(poll_interval=0.05)

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def route(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        url = url._replace(path=urllib.parse.unquote(url.path))
        if found := INSERT.fullmatch(url.path):
            return 200, {}, self._insert(".".join(found.groups()), json.loads(body)["rows"])
        if found := TABLE.fullmatch(url.path):
            return 200, {}, self._tables(method, *found.groups(), body)
        if found := DATASET.fullmatch(url.path):
            return 200, {}, self._datasets(method, *found.groups(), body)
        if found := JOB.fullmatch(url.path):
            upload, project, job = found.groups()
            if upload:
                return self._upload(method, path, query, headers, body)
            self.store.asked(f"jobs.{method}")
            if method == "GET":
                return 200, {}, self._job(project, job, query.get("location"))
            asked = json.loads(body)
            reference = asked["jobReference"]
            if "query" in asked["configuration"]:
                return 200, {}, self.store.query(reference, asked["configuration"])
            return 200, {}, self.store.load(reference, asked["configuration"])
        raise Refusal(404, "notFound", f"no such path: {url.path}")

    def _job(self, project, job, location):
        """A job; one of a single region is there only for who names the region."""
        found = self.store.jobs.get((project, job))
        if found is None or found["jobReference"]["location"] not in (location or "US", "EU"):
            raise Refusal(404, "notFound", f"Not found: Job {project}:{job}")
        return found

    def _tables(self, method, project, dataset, name, body):
        self.store.asked(f"tables.{method}")
        if method == "POST":
            made = json.loads(body)
            if f"{project}.{dataset}" not in self.store.datasets:
                raise Refusal(404, "notFound", f"Not found: Dataset {project}:{dataset}")
            name = f"{project}.{dataset}.{made['tableReference']['tableId']}"
            if name in self.store.tables:
                raise Refusal(409, "duplicate", f"Already Exists: Table {name}")
            more = {key: made[key] for key in SHAPE if key in made}
            return _table(self.store.add(name, fields=made["schema"]["fields"], more=more))
        name = f"{project}.{dataset}.{name}"
        if method == "DELETE":
            self.store.table(name)
            del self.store.tables[name]
            return None
        return _table(self.store.table(name))

    def _insert(self, name, rows):
        """Takes the rows of an older way to write, for benchmarks: it only counts them."""
        self.store.table(name).inserted += len(rows)
        return {"kind": "bigquery#tableDataInsertAllResponse"}

    def _datasets(self, method, project, dataset, body):
        self.store.asked(f"datasets.{method}")
        if method == "POST":
            dataset = json.loads(body)["datasetReference"]["datasetId"]
            self.store.datasets.add(f"{project}.{dataset}")
        if f"{project}.{dataset}" not in self.store.datasets:
            raise Refusal(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        return {
            "kind": "bigquery#dataset",
            "id": f"{project}:{dataset}",
            "datasetReference": {"projectId": project, "datasetId": dataset},
            "location": self.store.location(f"{project}.{dataset}"),
        }

    def _upload(self, method, path, query, headers, body):
        """A file that comes with its job: in pieces after the job, or both in one message."""
        if query["uploadType"] == "multipart":
            border = re.search(r'boundary="?([^";]+)', headers["Content-Type"])[1].encode()
            parts = body.split(b"--" + border)[1:3]
            asked, media = (part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts)
            return 200, {}, self._loaded(json.loads(asked), media)
        if method == "POST":
            name = uuid.uuid4().hex
            self.uploads[name] = [json.loads(body), bytearray()]
            place = f"{self.address}{path.partition('?')[0]}?uploadType=resumable&upload_id={name}"
            return 200, {"Location": place}, {}
        asked, media = self.uploads[query["upload_id"]]
        media += body
        total = headers["Content-Range"].rpartition("/")[2]
        if total == "*" or len(media) < int(total):
            return 308, {"Range": f"bytes=0-{len(media) - 1}"}, {}
        del self.uploads[query["upload_id"]]
        return 200, {}, self._loaded(asked, bytes(media))

    def _loaded(self, asked, media):
        self.store.asked("jobs.POST")
        return self.store.load(asked["jobReference"], asked["configuration"], media)
