"""A stand-in of BigQuery on loopback: both of its interfaces on one store.

As a process: python -m tests.integration.bigquery.server REST_PORT STORAGE_PORT name=rows.parquet
"""

import contextlib
import os
import sys
import threading
import urllib.parse
import urllib.request

import pyarrow.parquet as pq

from tests.integration.bigquery.rest import Rest
from tests.integration.bigquery.storage import Storage
from tests.integration.bigquery.store import Store


class Server:
    """A store with both interfaces, in this process.

    Files of Cloud Storage come from where STORAGE_EMULATOR_HOST says.
    """

    def __init__(self, rest_port=0, storage_port=0, page_rows=1000):
        self.store = Store()
        self.store.fetch = fetch
        self.rest = Rest(self.store, rest_port)
        self.storage = Storage(self.store, storage_port, page_rows)

    @property
    def environment(self):
        """Variables by which clients find it."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.rest.address,
            "BIGQUERY_STORAGE_EMULATOR_HOST": self.storage.address,
        }

    @contextlib.contextmanager
    def running(self):
        self.storage.start()
        threading.Thread(target=self.rest.serve, daemon=True).start()
        try:
            yield self
        finally:
            self.rest.close()
            self.storage.close()


def fetch(uri):
    """A file of the Cloud Storage emulator."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    host = os.environ["STORAGE_EMULATOR_HOST"]
    path = urllib.parse.quote(name, safe="")
    address = f"{host}/download/storage/v1/b/{bucket}/o/{path}?alt=media"
    with urllib.request.urlopen(address) as found:
        return found.read()


def main():
    rest_port, storage_port, *tables = sys.argv[1:]
    server = Server(int(rest_port), int(storage_port), page_rows=8192)
    for each in tables:
        name, _, path = each.partition("=")
        rows = pq.read_table(path)
        kinds = {"int64": "INTEGER", "double": "FLOAT", "string": "STRING"}
        fields = [{"name": f.name, "type": kinds[str(f.type)]} for f in rows.schema]
        server.store.add(name, rows, fields)
    with server.running():
        threading.Event().wait()


if __name__ == "__main__":
    main()
