"""DoFns that gather a bundle's batches, so that requests to Cloud DLP are full."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.utils.windowed_value import WindowedValue

from privacy.cloud.inspect import inspect_columns
from privacy.cloud.policies import cloud_policy, inspecting_policy
from privacy.cloud.redact import Redacted, redact_batches
from privacy.cloud.settings import CloudPolicy
from privacy.local.inspect import FINDINGS
from privacy.local.notes import CELLS, FAILED, FOUND, Noted, Notes
from privacy.pipeline.engines import borrow, give_back
from privacy.policy.policy import Policy
from transforms.batches import row_sources
from transforms.errors import RejectedRows

HELD = 32 << 20
"""Bytes of batches that are held until they are sent: about four rounds of 16 full requests."""


_COUNTED = ("calls", "quota", "retries", "splits")
"""What is counted of requests: how many, refused for the quota, tried again, halved."""


class _BundleFn(beam.DoFn):
    """Holds batches until there are enough of them, or the bundle ends; then sends them together.

    Batches keep their order, windows and times. Those of different schemas are sent apart.
    """

    settings: Callable[[Policy, str, pa.Schema], CloudPolicy]

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        # Dataflow adds no workers to work that is throttled; it knows the counter by this name.
        self._throttled = Metrics.counter("CloudDlp", "cumulativeThrottlingSeconds")
        self._counts = {name: Metrics.counter("CloudDlp", name) for name in _COUNTED}

    def setup(self) -> None:
        self._engines: list[tuple[pa.Schema, CloudPolicy, Any]] = []

    def start_bundle(self) -> None:
        self._held: list[tuple[pa.RecordBatch, Any, Any]] = []
        self._bytes = 0

    def process(
        self,
        batch: pa.RecordBatch,
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[WindowedValue]:
        if self._held and not self._held[0][0].schema.equals(batch.schema):
            yield from self._sent()
        self._held.append((batch, timestamp, window))
        self._bytes += batch.nbytes
        if self._bytes >= HELD:
            yield from self._sent()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from self._sent()

    def teardown(self) -> None:
        for _, settings, _ in self._engines:
            give_back(settings)
        self._engines = []

    def made(self, engine: Any, batches: Sequence[pa.RecordBatch]) -> Sequence[Any]:
        """Returns what becomes of each batch."""
        raise NotImplementedError

    def _sent(self) -> Iterator[WindowedValue]:
        held, self._held, self._bytes = self._held, [], 0
        if not held:
            return
        batches = [batch for batch, _, _ in held]
        engine = self._engine(batches[0].schema)
        before = dataclasses.asdict(engine.caller.counts)
        results = self.made(engine, batches)
        self._throttled.inc(engine.caller.bucket.claim_throttled())
        for name, counter in self._counts.items():
            counter.inc(getattr(engine.caller.counts, name) - before[name])
        for made, (_, timestamp, window) in zip(results, held, strict=True):
            yield WindowedValue(made, timestamp, (window,))

    def _engine(self, schema: pa.Schema) -> Any:
        for known, _, engine in self._engines:
            if known.equals(schema):
                return engine
        settings = type(self).settings(self.policy, self.policy.project or "", schema)
        engine = borrow(settings)
        self._engines.append((schema, settings, engine))
        return engine


class RedactFn(_BundleFn):
    """Makes outcomes of batches: the rows that go on, and the rejects.

    Args:
      policy: Prepared; see `launch.prepared`.
      noted: Whether the outcomes come with notes.
    """

    settings = staticmethod(cloud_policy)
    method = "DeidentifyContent"

    def __init__(self, policy: Policy, noted: bool = False) -> None:
        super().__init__(policy)
        self.noted = noted
        self.suppressed = Metrics.counter("Redact", "rows_suppressed")

    def made(self, engine: Any, batches: Sequence[pa.RecordBatch]) -> Sequence[Any]:
        """Returns an outcome for each batch."""
        results = redact_batches(engine, batches, self.method)
        self.suppressed.inc(sum(result.suppressed for result in results))
        outcomes = [(result.rows, result.rejects) for result in results]
        return list(zip(outcomes, map(_notes, results), strict=True)) if self.noted else outcomes


class ReidentifyFn(RedactFn):
    """Makes outcomes of batches whose tokens are taken back, with notes.

    Args:
      policy: Prepared, and made by `reversing`.
    """

    method = "ReidentifyContent"

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, noted=True)


def _notes(result: Redacted) -> Notes:
    """Returns the notes of a batch; Cloud DLP tells no likelihoods of what it transforms."""
    counts = {
        Noted(column, name, "", FAILED if failed else FOUND if name else CELLS): number
        for (column, name, failed), number in result.transformed.items()
    }
    rows, rejected = result.rows.num_rows, result.rejects.num_rows
    return Notes(rows + rejected + result.suppressed, rejected, result.suppressed, counts)


class InspectFn(_BundleFn):
    """Makes findings of batches, of schema `FINDINGS`.

    Args:
      policy: Prepared; see `launch.prepared`.
    """

    settings = staticmethod(inspecting_policy)

    def made(self, engine: Any, batches: Sequence[pa.RecordBatch]) -> Sequence[Any]:
        """Returns the findings of each batch, ordered by column and row.

        Raises:
          RejectedRows: A cell holds more than Cloud DLP takes or finds at once.
        """
        return findings_of(engine, batches)


def findings_of(engine: Any, batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Returns the findings of each batch, ordered by column and row.

    Raises:
      RejectedRows: A cell holds more than Cloud DLP takes or finds at once.
    """
    names = engine.policy.columns
    columns = [pa.concat_arrays([each.column(name) for each in batches]) for name in names]
    found, incomplete = inspect_columns(engine, names, columns)
    if incomplete.any():
        raise RejectedRows(
            f"Inspect: {int(incomplete.sum())} row(s) have a cell that is too large, or has "
            "too many findings, for Cloud DLP: their findings would not be complete"
        )
    places = {name: at for at, name in enumerate(names)}
    order = np.argsort([places[x] for x in found.column("column").to_pylist()], kind="stable")
    return list(_by_batch(found.take(pa.array(order, pa.int64())), batches))


def _by_batch(found: pa.RecordBatch, batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields the findings of each batch, with the rows' numbers in it and their sources."""
    rows, start = np.asarray(found.column("row")), 0
    for batch in batches:
        inside = (rows >= start) & (rows < start + batch.num_rows)
        part, numbers = found.filter(pa.array(inside)), rows[inside] - start
        columns = [row_sources(batch, numbers), pa.array(numbers), *part.columns[1:]]
        yield pa.RecordBatch.from_arrays(columns, schema=FINDINGS)
        start += batch.num_rows
