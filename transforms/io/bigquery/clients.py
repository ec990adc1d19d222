"""Google's BigQuery clients: where they connect to, and what their errors mean to the user."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from google.api_core import exceptions

from transforms.errors import ConfigError, MillraceError
from transforms.io.bigquery.patience import TRANSIENT
from transforms.io.bigquery.uris import Address

REST = "BIGQUERY_EMULATOR_HOST"
"""The variable that Google's REST client follows."""
STORAGE = "BIGQUERY_STORAGE_EMULATOR_HOST"
"""The variable of the Storage API (`127.0.0.1:9060`); Google's client has none."""


@contextlib.contextmanager
def rest_client(project: str, location: str | None = None) -> Iterator[Any]:
    """Gives Google's client of tables and jobs.

    Args:
      project: Its jobs belong to it.
      location: Where its jobs are; without one it finds those in the US and the EU alone.
    """
    from google.cloud import bigquery

    if os.environ.get(REST):
        from google.auth.credentials import AnonymousCredentials

        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        client = bigquery.Client(project, credentials=nobody, location=location)
    else:
        client = bigquery.Client(project, location=location)
    with contextlib.closing(client):
        yield client


@contextlib.contextmanager
def job_client(place: Address) -> Iterator[Any]:
    """Gives Google's client of a table's load jobs, which are where its dataset is.

    Raises:
      MillraceError: BigQuery does not answer.
    """
    try:
        with rest_client(place.project) as client:
            location = _location(client, place)
    except exceptions.GoogleAPICallError as error:
        raise explained(error, place, "write") from None
    with rest_client(place.project, location) as client:
        yield client


def _location(client: Any, place: Address) -> str | None:
    """Returns where a dataset is; None if it may not be looked at, as by one who may only write."""
    try:
        found: str = client.get_dataset(f"{place.project}.{place.dataset}", timeout=30).location
    except (exceptions.Forbidden, exceptions.NotFound):
        return None
    return found


def check_dataset(
    client: Any, place: Address, option: str, missing: Exception | None = None
) -> None:
    """Checks that the dataset of a table is there.

    Args:
      client: Google's, of tables.
      place: The table.
      option: What named it, for the error.
      missing: What led here.

    Raises:
      ConfigError: It is not there.
    """
    try:
        client.get_dataset(f"{place.project}.{place.dataset}", timeout=30)
    except exceptions.NotFound:
        name = f"{place.project}:{place.dataset}"
        raise ConfigError(
            f"{option}: the dataset {name} does not exist; `bq mk --dataset {name}` makes it"
        ) from missing
    except exceptions.Forbidden:
        # Who may write tables need not be allowed to look at the dataset.
        return


@contextlib.contextmanager
def read_client() -> Iterator[Any]:
    """Gives Google's client of the Storage Read API.

    Raises:
      ConfigError: The REST interface is that of an emulator, and none is named for this one.
    """
    from google.cloud.bigquery_storage_v1.services.big_query_read import (
        BigQueryReadClient,
        transports,
    )

    with BigQueryReadClient(transport=_emulated(transports.BigQueryReadGrpcTransport)) as client:
        yield client


def write_client() -> Any:
    """Returns Google's client of the Storage Write API, a context manager.

    Raises:
      ConfigError: The REST interface is that of an emulator, and none is named for this one.
    """
    from google.cloud.bigquery_storage_v1.services.big_query_write import (
        BigQueryWriteClient,
        transports,
    )

    return BigQueryWriteClient(transport=_emulated(transports.BigQueryWriteGrpcTransport))


def _emulated(transport: Any) -> Any:
    """Connects to an emulator, for answers of any size, as Google's clients do to the service.

    Returns: None where there is no emulator.
    """
    host = os.environ.get(STORAGE)
    if not host and os.environ.get(REST):
        raise ConfigError(
            f"{REST} names an emulator, and {STORAGE} does not: set it to where the emulator's "
            "Storage API listens, such as 127.0.0.1:9060"
        )
    if not host:
        return None
    import grpc

    channel = grpc.insecure_channel(host, options=[("grpc.max_receive_message_length", -1)])
    return transport(channel=channel)


def explained(error: Exception, place: Address, doing: str) -> Exception:
    """Returns the error for the user, where what he asked for can't be.

    Args:
      error: What the client raised.
      place: The table.
      doing: "read", "write" or "query".
    """
    if isinstance(error, exceptions.RetryError) and error.cause is not None:
        return _exhausted(error.cause, place)
    text = without_values(str(error))
    if isinstance(error, exceptions.NotFound):
        return ConfigError(
            f"{place.uri} does not exist: {text}. See what there is: "
            f"`bq ls {place.project}:{place.dataset}`"
        )
    if isinstance(error, (exceptions.Forbidden, exceptions.Unauthenticated)):
        return ConfigError(f"{place.uri}: access is denied; {_ROLES[doing]}: {text}")
    if isinstance(error, (*TRANSIENT, exceptions.RetryError)):
        return _exhausted(error, place)
    if doing == "read" and isinstance(error, exceptions.FailedPrecondition):
        return MillraceError(
            f"{place.uri}: BigQuery can't go on reading: {text}. Perhaps the session is over (a "
            "read session lasts six hours): run again with the same --run_id, with more "
            "workers, fewer columns or a filter"
        )
    if isinstance(error, exceptions.GoogleAPICallError):
        return MillraceError(f"{place.uri}: BigQuery refuses to {doing}: {text}")
    return error


def _exhausted(error: Exception, place: Address) -> MillraceError:
    text = without_values(str(error))
    if isinstance(error, exceptions.TooManyRequests):
        return MillraceError(
            f"{place.uri}: a quota of project {place.project} is used up, also after several "
            f"tries: {text}. Run again later with the same --run_id, with fewer workers, or have "
            "the quota raised (console: IAM & Admin, Quotas)"
        )
    return MillraceError(
        f"{place.uri}: BigQuery does not answer, after several tries: {text}. Run again with the "
        "same --run_id"
    )


def without_values(text: str) -> str:
    """Returns a message of the service without the values of rows that it may quote."""
    return _VALUE.sub(r"\1...", " ".join(text.split()))


_VALUE = re.compile(r"(?i)\b(values?:?\s+)('[^']*'|\"[^\"]*\"|[-+\d]\S*)")
_ROLES = {
    "query": "these credentials need the roles BigQuery Data Editor on temp_dataset, BigQuery Data "
    "Viewer on what the query reads, and BigQuery Job User on the project of temp_dataset",
    "read": "these credentials need the roles BigQuery Data Viewer on the dataset and BigQuery "
    "Read Session User on the project",
    "write": "these credentials need the roles BigQuery Data Editor on the dataset and BigQuery "
    "Job User on the project",
}
