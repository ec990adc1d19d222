"""Load jobs: all staged files become visible by one job, whose id a run has only once."""

import hashlib
import re
from typing import Any

import pyarrow.parquet as pq
from google.api_core import exceptions

from transforms.errors import MillraceError
from transforms.files.filesystem import is_local, open_read, open_write
from transforms.io.bigquery.clients import explained, without_values
from transforms.io.bigquery.uris import Address

MOST_FILES = 10_000
"""Files of a load job: the service's limit."""
TRIES = 5
"""How often a run may try a load whose job failed."""
_TOLD = 3


def job_id(place: Address, run_id: str, number: int = 0) -> str:
    """Returns the id of a run's load job into a table: the same whoever asks, and whenever.

    Args:
      place: The table.
      run_id: The run.
      number: How many jobs of the run into this table have failed: they loaded nothing.
    """
    text = re.sub(r"[^\w-]", "_", run_id)[:200]
    digest = hashlib.sha256(f"{run_id}\n{place.name}".encode()).hexdigest()[:16]
    return f"millrace-{text}-{digest}-{number}"


def loaded(client: Any, place: Address, run_id: str) -> bool:
    """Returns whether a run has loaded its rows into a table; waits for a running job."""
    return _last_job(client, place, run_id)[1]


def _last_job(client: Any, place: Address, run_id: str) -> tuple[int, bool]:
    """Returns how many jobs of the run have failed, and whether one went well."""
    number = 0
    while True:
        try:
            job = client.get_job(job_id(place, run_id, number))
        except exceptions.NotFound:
            return number, False
        if _went_well(job):
            return number, True
        number += 1


def _went_well(job: Any) -> bool:
    """Waits for a job; a job that failed, of whatever cause, has loaded nothing."""
    try:
        job.result()
    except exceptions.GoogleAPICallError:
        if job.state != "DONE" or not job.error_result:
            raise
        return False
    return True


def load_once(client: Any, place: Address, files: list[str], config: Any, run_id: str) -> None:
    """Loads files into a table, unless the run has done it.

    Args:
      client: Google's.
      place: The table.
      files: Parquet files of one schema, all local or all in Cloud Storage.
      config: A `LoadJobConfig`.
      run_id: The run.

    Raises:
      MillraceError: The job failed; the text has the service's reasons.
      ConfigError: The dataset is not there, or access is denied.
    """
    try:
        number, done = _last_job(client, place, run_id)
        if done:
            return
        if number >= TRIES:
            raise MillraceError(
                f"{place.uri}: {number} load jobs of run {run_id} have failed: see "
                f"`bq show -j {job_id(place, run_id, number - 1)}`"
            )
        job = _started(client, place, files, config, job_id(place, run_id, number))
        if not _went_well(job):
            raise MillraceError(_failure(job, place))
    except exceptions.GoogleAPICallError as error:
        raise explained(error, place, "write") from None


def _started(client: Any, place: Address, files: list[str], config: Any, name: str) -> Any:
    """Starts the job; where an answer was lost and the id is taken, it is that very job."""
    try:
        if not is_local(files[0]):
            if len(files) > MOST_FILES:
                raise MillraceError(
                    f"{place.uri}: {len(files):,} files were staged, and a load job takes "
                    f"{MOST_FILES:,}: write fewer rows at once"
                )
            return client.load_table_from_uri(files, place.name, job_id=name, job_config=config)
        with open_read(_joined(files)) as stream:
            return client.load_table_from_file(
                stream, place.name, rewind=True, job_id=name, job_config=config
            )
    except exceptions.Conflict:
        return client.get_job(name)


def _joined(files: list[str]) -> str:
    """Joins all rows to one file: a job takes one upload, and only one job is all or nothing."""
    if len(files) == 1:
        return files[0]
    path = f"{files[0].rpartition('/')[0]}/whole.parquet"
    with open_read(files[0]) as first:
        schema = pq.read_schema(first)
    with open_write(path) as stream, pq.ParquetWriter(stream, schema) as writer:
        for file in files:
            with open_read(file) as part:
                for batch in pq.ParquetFile(part).iter_batches():
                    writer.write_batch(batch)
    return path


def _failure(job: Any, place: Address) -> str:
    """Returns why a job failed, by its errors; the last often echoes the first."""
    told = [error.get("message", "") for error in job.errors or [job.error_result]]
    # A value of a row has no place in an error.
    distinct = list(dict.fromkeys(without_values(text) for text in told if text))
    more = f"; and {len(distinct) - _TOLD} more" if len(distinct) > _TOLD else ""
    return (
        f"nothing was published: BigQuery's load job {job.job_id} into {place.uri} failed "
        f"({job.error_result.get('reason')}): {'; '.join(distinct[:_TOLD])}{more}"
    )
