"""A resolved BigQuery table: its columns, a filter, and the moment whose state is read."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from google.api_core import exceptions

from transforms.errors import ConfigError
from transforms.families import BIGQUERY
from transforms.io.bigquery.clients import explained, rest_client
from transforms.io.bigquery.query import SETTINGS as QUERY_SETTINGS
from transforms.io.bigquery.query import Query, resolved_query
from transforms.io.bigquery.uris import Address, address, settings_of
from transforms.io.inputs import selected
from transforms.schema.bigquery_types import arrow_schema

SETTINGS = ("filter", "snapshot")
_READABLE = ("TABLE", "SNAPSHOT", "CLONE")


@dataclass(frozen=True)
class BigQuerySource:
    """A table as an input, resolved once in the launcher and shipped to the workers.

    Attributes:
      uri: As the user gave it.
      address: The table.
      schema: The columns that Read emits.
      snapshot: As of when it is read: all workers see the same rows. None for a query, whose rows
        stay as they are.
      filter: A condition in SQL on the rows; "" takes all.
      bytes: The table's size, for progress.
      limit: Most rows to read, of no particular order; None reads all.
      query: What makes the table, when it is first read; None where it is there.
    """

    uri: str
    address: Address
    schema: pa.Schema
    snapshot: datetime.datetime | None
    filter: str = ""
    bytes: int = 0
    limit: int | None = None
    query: Query | None = None
    bounded = True
    family = BIGQUERY
    guessed = ()

    @classmethod
    def resolve(cls, uri: str, limit: int | None = None) -> "BigQuerySource":
        """Looks at the table of `bq://project.dataset.table?filter=fare>0&snapshot=2026-01-01`.

        Args:
          uri: The table; or `bq:?query=SQL&temp_dataset=project.dataset`. `filter` is a condition
            in SQL, `snapshot` a moment of the last 7 days.
          limit: Most rows to read.

        Raises:
          ConfigError: It is not there, is a view, or access is denied.
          MillraceError: BigQuery does not answer.
        """
        if uri.partition("?")[0] == "bq:":
            return cls._of_query(uri, limit)
        place = address(uri, SETTINGS)
        settings = dict(place.settings)
        table = _table(place)
        if not _readable(table):
            raise ConfigError(
                f"--input: {place.uri} is a {table.table_type}, which can't be read as it stands: "
                f"read it by a query: 'bq:?query=SELECT * FROM `{place.name}`"
                "&temp_dataset=PROJECT.DATASET'"
            )
        fields = [field.to_api_repr() for field in table.schema]
        moment = _moment(uri, settings.get("snapshot"), table.created)
        size = int(table.num_bytes or 0)
        return cls(
            uri, place, arrow_schema(fields), moment, settings.get("filter", ""), size, limit
        )

    @property
    def content(self) -> pa.Schema:
        """The columns of its rows."""
        return self.schema

    @classmethod
    def _of_query(cls, uri: str, limit: int | None) -> "BigQuerySource":
        settings = settings_of(uri, QUERY_SETTINGS)
        query, fields = resolved_query(uri, settings)
        where, schema = settings.get("filter", ""), arrow_schema(fields)
        return cls(uri, query.table, schema, None, where, query.bytes, limit, query)

    def select(self, columns: Iterable[str]) -> "BigQuerySource":
        """Reads only some columns, in the order of the table.

        Raises:
          ConfigError: A column that isn't there.
        """
        return replace(self, schema=selected(self.schema, columns))

    def held(self, seconds: float) -> "BigQuerySource":
        """Returns itself: rows of a table have no event time that goes on."""
        return self

    @property
    def origin(self) -> str:
        """What rows say of where they came from: the table as of a moment."""
        if self.snapshot is None:
            return f"bq:query/{self.address.table}"
        return f"{self.address.uri}@{self.snapshot:%Y-%m-%dT%H:%M:%S.%fZ}"


def resolve_table(
    uri: str,
    schema: pa.Schema | str | None,
    types: Mapping[str, pa.DataType] | None,
    limit: int | None,
    settings: Mapping[str, Any],
) -> BigQuerySource:
    """Looks at a table, which has types of its own; see `BigQuerySource.resolve`."""
    return BigQuerySource.resolve(uri, limit)


def _table(place: Address) -> Any:
    try:
        with rest_client(place.project) as client:
            return client.get_table(place.name, timeout=30)
    except exceptions.GoogleAPICallError as error:
        raise explained(error, place, "read") from None


def _readable(table: Any) -> bool:
    """Returns whether the Storage API reads it: of external tables those with a connection."""
    outside = table.to_api_repr().get("externalDataConfiguration") or {}
    return table.table_type in _READABLE or bool(outside.get("connectionId"))


def _moment(uri: str, given: str | None, created: Any) -> datetime.datetime:
    """Returns as of when to read: now, unless the URI says otherwise."""
    if given is None:
        now = datetime.datetime.now(datetime.UTC)
        # The service's clock made the table; this one may be behind it.
        return now if created is None else max(now, created)
    try:
        moment = datetime.datetime.fromisoformat(given)
    except ValueError:
        raise ConfigError(
            f"{uri!r}: snapshot={given} is no moment such as 2026-01-31T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
