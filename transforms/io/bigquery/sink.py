"""A resolved BigQuery output: which table, and how rows come into it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from google.api_core import exceptions

from transforms.commit.ledger import STAGING, STREAM, Target
from transforms.commit.remains import beside
from transforms.errors import ConfigError
from transforms.io.bigquery.clients import check_dataset, explained, job_client, rest_client
from transforms.io.bigquery.fit import check_loadable, grown
from transforms.io.bigquery.load import load_once, loaded
from transforms.io.bigquery.uris import Address, address
from transforms.schema.bigquery_types import bigquery_fields

SETTINGS = ("mode", "staging", "partition", "cluster", "delivery", "growth")
MODES = ("create", "append")
ONCE, AT_LEAST_ONCE = "exactly_once", "at_least_once"
BY_STATE = "exactly_once_by_state"
"""Each row once as they come, by the state of a runner that keeps it: a launch to Dataflow says so
of an output that is to have its rows once."""


@dataclass(frozen=True)
class BigQuerySink:
    """A table as an output; the commit fills it by one load job.

    Attributes:
      address: The table.
      mode: "create" takes a table that is not there, or is empty; "append" adds to what is there.
      staging: Where files wait, in Cloud Storage; "" is this machine, from where they are uploaded.
      partition: The column by whose days a new table is partitioned, or "".
      cluster: The columns by which a new table is clustered.
      delivery: Of rows without end: "exactly_once" at the end of their window, "at_least_once" as
        they come, or `BY_STATE`.
      growth: Whether columns that the table lacks are added.
      described: The fields of the table, as BigQuery's JSON has them; "" where it is to be made.
    """

    address: Address
    mode: str = "create"
    staging: str = ""
    partition: str = ""
    cluster: tuple[str, ...] = ()
    delivery: str = ONCE
    growth: bool = False
    described: str = ""

    @classmethod
    def parse(cls, uri: str) -> "BigQuerySink":
        """Reads `bq://p.d.t?mode=append&staging=gs://bucket/tmp&partition=day&cluster=a,b`.

        Raises:
          ConfigError: No table, or a setting or value that isn't known.
        """
        place = address(uri, SETTINGS)
        settings = dict(place.settings)
        mode, staging = settings.get("mode", "create"), settings.get("staging", "").rstrip("/")
        if mode not in MODES:
            raise ConfigError(
                f"{uri!r}: unknown mode {mode!r}; known: {', '.join(MODES)}. --overwrite replaces "
                "the rows that are there"
            )
        if staging and not staging.startswith("gs://"):
            raise ConfigError(
                f"{uri!r}: staging={staging} is no place that BigQuery reads, such as "
                "gs://bucket/tmp"
            )
        delivery = settings.get("delivery", ONCE)
        if delivery not in (ONCE, AT_LEAST_ONCE, BY_STATE):
            raise ConfigError(
                f"{uri!r}: unknown delivery {delivery!r}; known: {ONCE}, {AT_LEAST_ONCE}"
            )
        cluster = tuple(name for name in settings.get("cluster", "").split(",") if name)
        partition, growth = settings.get("partition", ""), settings.get("growth") == "true"
        return cls(place, mode, staging, partition, cluster, delivery, growth)

    @classmethod
    def resolve(cls, uri: str, endless: bool = False) -> "BigQuerySink":
        """Reads a URI, and looks at the table.

        Args:
          uri: As the user gave it.
          endless: Whether its rows have no end, and so are appended rather than loaded.

        Raises:
          ConfigError: See `parse`; access is denied; or a column can't be loaded.
          MillraceError: BigQuery does not answer.
        """
        sink = cls.parse(uri)
        table = sink._table()
        if table is None:
            return sink
        fields = [field.to_api_repr() for field in table.schema]
        if not endless:
            check_loadable(fields)
        return replace(sink, described=json.dumps(fields) if fields else "")

    @property
    def fields(self) -> list[dict[str, Any]] | None:
        """Those of the table; None where it is to be made of the rows."""
        return json.loads(self.described) if self.described else None

    def check(self, run_id: str, overwrite: bool) -> None:
        """Looks before the run whether the table may be written.

        Raises:
          ConfigError: It has rows, and they are neither to be kept nor to be replaced.
        """
        if self.mode == "append" and overwrite:
            raise ConfigError("--overwrite replaces rows, and ?mode=append keeps them: choose one")
        if self.mode == "append" or overwrite:
            return
        table = self._table()
        if table is None or not table.num_rows:
            return
        try:
            with job_client(self.address) as client:
                # Killed between the load and its manifest: what is there is the run's own.
                mine = loaded(client, self.address, run_id)
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.address, "write") from None
        if not mine:
            raise ConfigError(
                f"{self.address.uri} has rows: pass --overwrite to replace them, add ?mode=append "
                "to keep them, or name another table"
            )

    def _table(self) -> Any:
        """Returns the table, or None."""
        try:
            with rest_client(self.address.project) as client:
                try:
                    table = client.get_table(self.address.name, timeout=30)
                except exceptions.NotFound as error:
                    check_dataset(client, self.address, "--output", error)
                    return None
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.address, "write") from None
        if table.table_type not in ("TABLE", "CLONE", None):
            raise ConfigError(
                f"{self.address.uri} is a {table.table_type}, and only tables can be written: name "
                "another one"
            )
        return table

    def load(self, files: list[str], schema: pa.Schema, run_id: str, overwrite: bool) -> None:
        """Loads all rows of some Parquet files by one job; again for one run does no harm.

        Args:
          files: At least one.
          schema: Their Arrow schema.
          run_id: The run.
          overwrite: Whether they replace what is there.

        Raises:
          MillraceError: The job failed, and loaded nothing; the text says why.
        """
        with job_client(self.address) as client:
            load_once(client, self.address, files, self._config(schema, overwrite), run_id)

    def _config(self, schema: pa.Schema, overwrite: bool) -> Any:
        from google.cloud import bigquery

        # What a load finds out of Parquet by itself has no JSON, and lists are records to it.
        lists: Any = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
        lists.enable_list_inference = True
        fields = self.fields or bigquery_fields(schema)
        how = bigquery.WriteDisposition
        # Columns are added to what is there alone; that it has no rows was looked at before.
        keeps = self.mode == "append" or (self.growth and bool(self.described))
        append = how.WRITE_APPEND if keeps else how.WRITE_EMPTY
        if self.growth:
            fields = [dict(field) for field in grown(fields, schema)]
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[bigquery.SchemaField.from_api_repr(field) for field in fields],
            write_disposition=how.WRITE_TRUNCATE if overwrite else append,
            parquet_options=lists,
        )
        if not self.described:
            self.shape(config)
        elif self.growth and not overwrite:
            config.schema_update_options = [bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION]
        return config

    def shape(self, made: Any) -> None:
        """Tells a table, or the load that makes one, how it is partitioned and clustered."""
        from google.cloud import bigquery

        if self.partition:
            made.time_partitioning = bigquery.TimePartitioning(field=self.partition)
        if self.cluster:
            made.clustering_fields = list(self.cluster)


def waits(uri: str) -> bool:
    """Returns whether rows without end wait for the end of their window before they are there."""
    return BigQuerySink.parse(uri).delivery == ONCE


def target_of(uri: str, run_id: str, endless: bool, dead_letters: bool, evidence: bool) -> Target:
    """Returns an output as a commit knows it: where files wait for the load, and so on.

    Args:
      uri: As the user gave it.
      run_id: The run.
      endless: Whether its rows have no end.
      dead_letters: Whether it takes the dead letters.
      evidence: Whether it is published also where a gate says no.

    Raises:
      ConfigError: The URI names no table, or has an unknown setting.
    """
    sink = BigQuerySink.parse(uri)
    name = sink.address.name
    path = f"{sink.staging}/{name}" if sink.staging else name
    staging = f"{beside(path)}{STREAM if endless else STAGING}{run_id}"
    return Target(
        sink.address.uri,
        False,
        "arrow" if endless else "parquet",
        "",
        (),
        staging,
        dead_letters,
        uri,
        dead_letters or evidence,
        beside=path,
    )
