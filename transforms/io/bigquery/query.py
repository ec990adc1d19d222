"""Queries: their rows land in a table of one day, which is deleted by its exact name."""

import datetime
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions

from transforms.errors import ConfigError, MillraceError
from transforms.files.filesystem import read_text
from transforms.io.bigquery.clients import (
    check_dataset,
    explained,
    job_client,
    rest_client,
    without_values,
)
from transforms.io.bigquery.uris import Address, dataset_of

SETTINGS = ("query", "temp_dataset", "filter")
LASTS = datetime.timedelta(days=1)
"""After so long BigQuery itself deletes the table, should the run be gone."""
_POLL_SECONDS = (0.2, 5.0)


@dataclass(frozen=True)
class Query:
    """A query as an input.

    Attributes:
      sql: GoogleSQL.
      table: Where its rows land; the name is of this launch alone.
      bytes: What it would be billed, as BigQuery estimates it.
    """

    sql: str
    table: Address
    bytes: int = 0

    @property
    def job_id(self) -> str:
        """The id of its job: however often it is asked for, the query runs once."""
        return f"{self.table.table}_query"

    def run(self) -> None:
        """Runs it, unless that was done; returns when its rows are in the table.

        Raises:
          ConfigError: The dataset is not there, or access is denied.
          MillraceError: The query failed; or BigQuery does not answer.
        """
        try:
            with job_client(self.table) as client:
                _make(client, self)
                job = _finished(_started(client, self))
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.table, "query") from None
        if job.error_result:
            told = without_values(str(job.error_result.get("message")))
            raise MillraceError(f"--input: the query failed (job {job.job_id}): {told}")


def resolved_query(uri: str, settings: dict[str, str]) -> tuple[Query, list[dict[str, Any]]]:
    """Looks at a query without running it.

    Args:
      uri: As the user gave it.
      settings: What it says: `query`, SQL or `@FILE`; `temp_dataset`, `PROJECT.DATASET`.

    Returns: The query, and the fields of its rows.

    Raises:
      ConfigError: A setting is missing, or BigQuery refuses the query.
      MillraceError: BigQuery does not answer.
    """
    sql, place = settings.get("query", "").strip(), settings.get("temp_dataset", "")
    if sql.startswith("@"):
        sql = read_text(sql[1:], "--input: query", "SQL in UTF-8").strip()
    if not sql or not place:
        raise ConfigError(
            f"{uri!r}: a query needs query=SQL (or query=@FILE.sql) and temp_dataset=PROJECT."
            "DATASET, where its rows land for the time of the run"
        )
    name = f"millrace_{datetime.datetime.now(datetime.UTC):%Y%m%d}_{secrets.token_hex(8)}"
    project, dataset = dataset_of(uri, place)
    table = Address(project, dataset, name)
    job = _estimated(sql, table)
    fields = [field.to_api_repr() for field in job.schema or ()]
    if not fields:
        raise ConfigError("--input: the query gives no rows: it must be one SELECT")
    return Query(sql, table, int(job.total_bytes_processed or 0)), fields


def _estimated(sql: str, table: Address) -> Any:
    from google.cloud import bigquery

    try:
        with job_client(table) as client:
            check_dataset(client, table, "--input: temp_dataset")
            return client.query(sql, job_config=bigquery.QueryJobConfig(dry_run=True), timeout=60)
    except exceptions.BadRequest as error:
        raise ConfigError(f"--input: BigQuery can't run the query: {_told(error)}") from None
    except exceptions.GoogleAPICallError as error:
        raise explained(error, table, "query") from None


def _told(error: exceptions.GoogleAPICallError) -> str:
    """Returns why a query is refused, without the address that was asked."""
    text: str = (error.errors or [{}])[0].get("message") or error.message
    return without_values(text)


def _make(client: Any, query: Query) -> None:
    """Makes the table, with its end, before it has rows: a kill leaves it for a day."""
    from google.cloud import bigquery

    fields = client.query(query.sql, job_config=bigquery.QueryJobConfig(dry_run=True)).schema
    # What a query gives may be missing, whatever the tables say that it reads.
    table = bigquery.Table(query.table.name, schema=[_nullable(field) for field in fields])
    table.expires = datetime.datetime.now(datetime.UTC) + LASTS
    client.create_table(table, exists_ok=True, timeout=30)


def _nullable(field: Any) -> Any:
    from google.cloud import bigquery

    told = field.to_api_repr()
    if told.get("mode") == "REQUIRED":
        told["mode"] = "NULLABLE"
    return bigquery.SchemaField.from_api_repr(told)


def _started(client: Any, query: Query) -> Any:
    from google.cloud import bigquery

    config = bigquery.QueryJobConfig(
        destination=query.table.name,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        labels={"millrace": "input"},
    )
    try:
        return client.query(
            query.sql, job_id=query.job_id, job_config=config, job_retry=None, timeout=60
        )
    except exceptions.Conflict:
        return client.get_job(query.job_id)


def _finished(job: Any) -> Any:
    wait, longest = _POLL_SECONDS
    while job.state != "DONE":
        time.sleep(wait)
        wait = min(longest, wait * 1.5)
        job.reload()
    return job


def forget_tables(names: Iterable[str]) -> None:
    """Deletes tables, each by its exact name; one that is gone is no error.

    Args:
      names: `PROJECT.DATASET.TABLE`; none that `resolved_query` has not made.
    """
    for name in names:
        project, _, table = name.split(".")
        assert table.startswith("millrace_"), "only what a query of ours has made is deleted"
        with rest_client(project) as client:
            client.delete_table(name, not_found_ok=True, timeout=30)
