"""Beam's own read of a BigQuery table and its own write, against a server on loopback."""

import os
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.io.gcp import bigquery
from apache_beam.io.gcp.internal.clients.bigquery import bigquery_v2_client
from apache_beam.options.pipeline_options import PipelineOptions
from google.cloud.bigquery_storage_v1 import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
    BigQueryReadGrpcTransport,
)

FOUND: list[int] = []
"""What pipelines have counted; the runner's workers are threads of this process."""


def note(number: int) -> None:
    """Notes what a pipeline has counted."""
    FOUND.append(number)


class _Local(BigQueryReadClient):
    """Google's client, as Beam makes it without arguments, to the server on loopback."""

    def __init__(self, *_: Any, **__: Any) -> None:
        options = [("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"], options)
        super().__init__(transport=BigQueryReadGrpcTransport(channel=channel))


def use_loopback() -> None:
    """Has Beam's clients, which follow no variable, talk to the server on loopback."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    # Without credentials of some kind Beam's client would have somebody log in by a browser.
    nobody = AnonymousCredentials()
    google.auth.default = lambda *_, **__: (nobody, "proj-12345")
    address = os.environ["BIGQUERY_EMULATOR_HOST"]
    bigquery_v2_client.BigqueryV2.BASE_URL = f"{address}/bigquery/v2/"
    bigquery.bq_storage.BigQueryReadClient = _Local


def count(project: str, dataset: str, table: str) -> int:
    """Counts the rows of a table by Beam's read, in this process."""
    from apache_beam.io.gcp.internal.clients.bigquery import TableReference

    place = TableReference(projectId=project, datasetId=dataset, tableId=table)
    # Without a dataset of its own Beam would list datasets at the end, and delete what it takes for
    # its own.
    from apache_beam.io.gcp.internal.clients.bigquery import DatasetReference

    own = DatasetReference(projectId=project, datasetId="beam_temp")
    read = bigquery.ReadFromBigQuery(
        method=bigquery.ReadFromBigQuery.Method.DIRECT_READ,
        # Of its two row formats the one by Arrow.
        use_native_datetime=True,
        table=place,
        temp_dataset=own,
    )
    options = PipelineOptions([f"--project={project}"])
    with beam.Pipeline("FnApiRunner", options=options) as root:
        total = root | read | beam.combiners.Count.Globally()
        _ = total | beam.Map(note)
    return FOUND.pop()


def insert(
    project: str, dataset: str, table: str, rows: list[dict[str, Any]], fields: list[dict[str, Any]]
) -> None:
    """Inserts rows by Beam's STREAMING_INSERTS, in this process."""
    write = bigquery.WriteToBigQuery(
        f"{project}:{dataset}.{table}",
        schema={"fields": fields},
        method=bigquery.WriteToBigQuery.Method.STREAMING_INSERTS,
        create_disposition=bigquery.BigQueryDisposition.CREATE_NEVER,
    )
    options = PipelineOptions([f"--project={project}"])
    with beam.Pipeline("FnApiRunner", options=options) as root:
        _ = root | beam.Create(rows, reshuffle=False) | write
