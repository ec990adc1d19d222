"""A stand-in of BigQuery on loopback: both of its interfaces on one store.

As a process: python -m tests.integration.bigquery.server REST_PORT STORAGE_PORT name=rows.parquet
"""

import contextlib
import os
import sys
import threading
import urllib.parse
import urllib.request

import pyarrow as pa
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


NAMES = {
    pa.types.is_integer: "INTEGER",
    pa.types.is_floating: "FLOAT",
    pa.types.is_boolean: "BOOLEAN",
    pa.types.is_string: "STRING",
    pa.types.is_large_string: "STRING",
    pa.types.is_binary: "BYTES",
    pa.types.is_date: "DATE",
    pa.types.is_time: "TIME",
    pa.types.is_decimal: "NUMERIC",
}


def described(field):
    """A field of BigQuery for a column of a Parquet file."""
    repeated, type = pa.types.is_list(field.type), field.type
    type = type.value_type if repeated else type
    made = {"name": field.name, "mode": "REPEATED" if repeated else "NULLABLE"}
    if pa.types.is_struct(type):
        return {**made, "type": "RECORD", "fields": [described(each) for each in type]}
    if pa.types.is_timestamp(type):
        return {**made, "type": "TIMESTAMP" if type.tz else "DATETIME"}
    return {**made, "type": next(name for test, name in NAMES.items() if test(type))}


def main():
    rest_port, storage_port, *tables = sys.argv[1:]
    server = Server(int(rest_port), int(storage_port), page_rows=8192)
    for each in tables:
        name, _, path = each.partition("=")
        rows = pq.read_table(path)
        server.store.add(name, rows, [described(field) for field in rows.schema])
    with server.running():
        print(f"export BIGQUERY_EMULATOR_HOST={server.rest.address}", flush=True)
        print(f"export BIGQUERY_STORAGE_EMULATOR_HOST={server.storage.address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
