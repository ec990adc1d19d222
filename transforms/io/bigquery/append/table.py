"""Tables that take rows without end: made of the first of them, where they are not there."""

from typing import Any

import pyarrow as pa
from google.api_core import exceptions

from transforms.io.bigquery.clients import explained, rest_client
from transforms.io.bigquery.sink import BigQuerySink
from transforms.schema.bigquery_types import bigquery_fields

OF_THE_MESSAGE = ("message_id", "publish_time", "ordering_key")
"""Columns of messages that a table need not have."""
MESSAGE_ID = {"name": "message_id", "type": "STRING", "mode": "NULLABLE"}


def body(rows: pa.RecordBatch, fields: list[dict[str, Any]]) -> pa.RecordBatch:
    """Returns rows without the columns of their messages that a table lacks."""
    known = {field["name"] for field in fields}
    kept = [name for name in rows.schema.names if name in known or name not in OF_THE_MESSAGE]
    return rows if len(kept) == len(rows.schema.names) else rows.select(kept)


def log_fields(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the fields of a table, and the message's id, which tells what came twice."""
    known = any(field["name"] == MESSAGE_ID["name"] for field in fields)
    return fields if known else [*fields, MESSAGE_ID]


def made_fields(sink: BigQuerySink, schema: pa.Schema) -> list[dict[str, Any]]:
    """Makes a table of some columns, if it is not there; returns its fields.

    Raises:
      ConfigError: No table can hold a column; or access is denied.
      MillraceError: BigQuery does not answer.
    """
    from google.cloud import bigquery

    place = sink.address
    fields = [bigquery.SchemaField.from_api_repr(field) for field in bigquery_fields(schema)]
    table = bigquery.Table(place.name, schema=fields)
    sink.shape(table)
    try:
        with rest_client(place.project) as client:
            # Another worker, or another run, may have made it meanwhile.
            there = client.create_table(table, exists_ok=True, timeout=30)
    except exceptions.GoogleAPICallError as error:
        raise explained(error, place, "write") from None
    return [field.to_api_repr() for field in there.schema]
