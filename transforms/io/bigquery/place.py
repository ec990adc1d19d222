"""What a commit does at a table: all that was staged is loaded by one job."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa

from transforms.commit.file_place import moves_of
from transforms.commit.ledger import Entry, Target
from transforms.commit.manifest import write_manifest
from transforms.commit.remains import clear_remains, hold_staging
from transforms.errors import ConfigError
from transforms.files.filesystem import is_local
from transforms.io.bigquery.sink import BigQuerySink


class TablePlace:
    """What a commit does at tables."""

    def claim(self, target: Target) -> None:
        """Clears what killed runs left here; who may write is for the service to say."""
        if is_local(target.beside):
            clear_remains(replace(target, root=target.beside))

    def check(self, target: Target, reads: Iterable[str], overwrite: bool) -> None:
        """Checks that the table has no rows, or that they are to be kept or replaced.

        Raises:
          ConfigError: It has; or it can't be written.
        """
        BigQuerySink.parse(target.uri).check(target.run_id, overwrite)

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
            BigQuerySink.resolve(target.uri).load(files, schema, manifest["run_id"], overwrite)
        write_manifest(target.manifest, manifest)

    def settle(self, target: Target) -> None:
        """Keeps the manifest: it belongs to the run."""

    def release(self, target: Target) -> None:
        """Holds nothing."""
