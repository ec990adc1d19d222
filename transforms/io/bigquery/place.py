"""What a commit does at a table: all that was staged is loaded by one job."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
from google.api_core import exceptions

from transforms.commit.dead_letters import DEAD_LETTERS
from transforms.commit.file_place import moves_of
from transforms.commit.ledger import STREAM, Entry, Target
from transforms.commit.manifest import write_manifest
from transforms.commit.remains import clear_remains, hold_staging
from transforms.commit.stage import staged_rows
from transforms.errors import ConfigError
from transforms.files import filesystem
from transforms.files.filesystem import is_local
from transforms.files.locks import lock, unlock
from transforms.io.bigquery.append.pane import append_once
from transforms.io.bigquery.append.refused import split_refused
from transforms.io.bigquery.append.table import body, made_fields
from transforms.io.bigquery.clients import explained
from transforms.io.bigquery.fit import check_columns, fit
from transforms.io.bigquery.sink import BigQuerySink
from transforms.rejects import REJECTS

_log = logging.getLogger(__name__)


class TablePlace:
    """What a commit does at tables."""

    def claim(self, target: Target) -> None:
        """Clears what killed runs left here; who may write is for the service to say.

        Raises:
          ConfigError: A process works under this run id.
        """
        if is_local(target.beside):
            if not lock(_own(target)):
                raise ConfigError(
                    f"another process writes {target.root} as run {target.run_id}: wait for it, or "
                    "give another --run_id"
                )
            clear_remains(replace(target, root=target.beside))

    def check(self, target: Target, reads: Iterable[str], overwrite: bool) -> None:
        """Checks that the table has no rows, or that they are to be kept or replaced.

        Raises:
          ConfigError: It has; or it can't be written.
        """
        if not target.dead_letters:
            BigQuerySink.parse(target.uri).check(target.run_id, overwrite)
            return
        sink = _sink(target)
        if sink.fields is not None and not sink.growth:
            check_columns(DEAD_LETTERS, sink.fields, "--dead_letters")

    def begin(self, target: Target) -> None:
        """Makes the staging.

        Raises:
          ConfigError: Nobody can write there.
        """
        try:
            hold_staging(target)
        except OSError as error:
            raise ConfigError(
                f"--output: rows for {target.root} wait in {target.staging}, which can't be "
                f"written: {error.strerror}. Name a place by ?staging=gs://BUCKET/FOLDER"
            ) from None

    def put(
        self, target: Target, staged: list[Entry], manifest: dict[str, Any], overwrite: bool
    ) -> None:
        """Loads what was staged by one job; again for one run does no harm.

        Raises:
          MillraceError: The job failed, and loaded nothing; the text says why.
        """
        files = [path for path, _ in moves_of(target, staged)]
        if files:
            schema = pa.ipc.read_schema(pa.py_buffer(staged[0].schema))
            replaces = overwrite and not target.dead_letters
            _sink(target).load(files, schema, manifest["run_id"], replaces)
        write_manifest(target.manifest, manifest)

    def taken(self, target: Target) -> bool:
        """Returns False: rows without end are added to what is there.

        Raises:
          ConfigError: A table for dead letters has other columns.
        """
        if target.dead_letters:
            self.check(target, (), overwrite=False)
        return False

    def put_pane(self, target: Target, draft: str, manifest: dict[str, Any]) -> int:
        """Appends the rows of a pane, each once; returns how many the service refused.

        Raises:
          ConfigError: The table is not there, or access is denied.
          MillraceError: BigQuery does not answer.
        """
        kept = f"{target.records}/refused/{draft.rpartition('/')[2]}.arrow"
        rows, sink = _whole(f"{draft}{target.suffix}"), _sink(target)
        if rows is not None:
            try:
                self._append(sink, rows, draft, kept)
            except exceptions.GoogleAPIError as error:
                raise explained(error, sink.address, "write") from None
            if target.dead_letters and filesystem.exists(kept):
                # They have no further door.
                _log.warning("%s refuses dead letters: they are in %s", target.root, kept)
            for suffix in (target.suffix, ".streams", ".refused"):
                filesystem.delete(f"{draft}{suffix}")
        return sum(part.num_rows for part in staged_rows(kept)) if filesystem.exists(kept) else 0

    def _append(self, sink: BigQuerySink, rows: pa.RecordBatch, draft: str, kept: str) -> None:
        fields = sink.fields or made_fields(sink, rows.schema)
        # Dead letters come as they are stored in files, other rows as they fit the table.
        rows, misfits = fit(body(rows, fields), fields)
        assert not misfits.num_rows, "they were fitted before they were staged"
        _, rejects = split_refused(rows, append_once(sink.address.path, rows, draft))
        if rejects.num_rows:
            with filesystem.open_write(kept) as stream, pa.ipc.new_file(stream, REJECTS) as out:
                out.write_batch(rejects)

    def settle(self, target: Target) -> None:
        """Keeps the manifest: it belongs to the run."""

    def release(self, target: Target) -> None:
        """Lets another process work under this run id."""
        if is_local(target.beside):
            unlock(_own(target))


def _sink(target: Target) -> BigQuerySink:
    """Looks at a table; dead letters are added to those of other runs, by day in a new table."""
    sink = BigQuerySink.resolve(target.uri, STREAM in target.staging)
    if not target.dead_letters:
        return sink
    return replace(sink, mode="append", partition=sink.partition or "timestamp")


def _own(target: Target) -> str:
    return f"{target.beside}.{target.run_id}"


def _whole(path: str) -> pa.RecordBatch | None:
    """Returns the rows of a pane; None where they were appended before."""
    if not filesystem.exists(path):
        return None
    batches = list(staged_rows(path))
    return pa.concat_batches(batches)
