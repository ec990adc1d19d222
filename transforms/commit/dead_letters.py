"""The one door by which rejected rows leave, row by row, each with a reason."""

import functools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.rejects import REJECTS, Outcome, no_rejects, rejected_rows

if TYPE_CHECKING:
    from transforms.commit.ledger import Entry
    from transforms.commit.outputs import RunCommit

DEAD_LETTERS = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        *REJECTS,
        ("pipeline", pa.string()),
        ("step", pa.string()),
        ("run_id", pa.string()),
    ]
)
"""A dead letter as it is stored: a superset of the columns of Google's Dataflow templates."""


class DeadLetters:
    """Takes the rejects of every verb, and stores them when the run is committed.

    Args:
      uri: Where they are stored: a folder or file, its format by suffix or `?format=`;
        JSON Lines where nothing says otherwise.
      commit: The run that they belong to.
      payload: "full" keeps the rejected row; "none" keeps only why and where.
      redact: Makes rejects that may be stored of rejects; a job with a policy sets it.
    """

    def __init__(
        self,
        uri: "str | os.PathLike[str]",
        commit: "RunCommit",
        payload: str = "full",
        redact: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
    ) -> None:
        if payload not in ("full", "none"):
            raise ValueError(f"payload is 'full' or 'none', not {payload!r}")
        self.commit, self.payload, self.redact = commit, payload, redact
        self.target = commit.target(os.fspath(uri), dead_letters=True)
        self._taken: list[tuple[str, Batches]] = []

    def take(self, rejects: Batches, step: str) -> None:
        """Stages the rejects of one step.

        Args:
          rejects: Batches of schema `REJECTS`, from one verb.
          step: The verb's label, recorded with each.
        """
        stamp = functools.partial(
            stamp_rejects,
            step=step,
            pipeline=self.commit.job,
            run_id=self.commit.run_id,
            payload=self.payload == "full",
            redact=self.redact,
        )
        letters = rejects | "Letters" >> beam.Map(stamp).with_output_types(pa.RecordBatch)
        self.commit.stage(letters, self.target, step, count="reason")
        self._taken.append((step, rejects))

    def tally(self, entries: "beam.PCollection[Entry]") -> None:
        """Adds to the run's ledger how many rows were read."""
        self.commit.take(entries)

    def number(self, of: str) -> "beam.PCollection[int]":
        """Returns how many rows a step rejected that has taken it so far: one number.

        Args:
          of: The step's label.
        """
        counts = tuple(
            rejects | f"Of {step}" >> beam.Map(rejected_rows).with_output_types(int)
            for step, rejects in self._taken
            if step == of
        )
        return counts | "Counts" >> beam.Flatten() | "Number" >> beam.CombineGlobally(sum)


class Unrecorded(DeadLetters):
    """Lets rejects go: of rows that are read once more, by a step that records them."""

    def __init__(self) -> None:
        """Takes no place to store them."""

    def take(self, rejects: Batches, step: str) -> None:
        """Stores nothing."""

    def tally(self, entries: "beam.PCollection[Entry]") -> None:
        """Counts nothing."""


def stamp_rejects(
    rejects: pa.RecordBatch,
    step: str,
    pipeline: str,
    run_id: str,
    payload: bool,
    redact: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
) -> pa.RecordBatch:
    """Makes dead letters of rejects: adds when, in which run and at which step.

    Args:
      rejects: n rejects, of schema `REJECTS`.
      step: The verb that rejected them.
      pipeline: The job.
      run_id: The run.
      payload: Whether the rejected rows themselves are kept.
      redact: Is given the rejects first, and returns as many.

    Returns: n dead letters, of schema `DEAD_LETTERS`.
    """
    rows = rejects.num_rows
    now = pa.repeat(pa.scalar(_now(), DEAD_LETTERS.field("timestamp").type), rows)
    texts = [pa.repeat(text, rows) for text in (pipeline, step, run_id)]
    kept = list((redact(rejects) if redact and payload else rejects).columns)
    if not payload:
        kept[:3] = [pa.nulls(rows, field.type) for field in list(REJECTS)[:3]]
    return pa.RecordBatch.from_arrays([now, *kept, *texts], schema=DEAD_LETTERS)


def _now() -> Any:
    import datetime

    return datetime.datetime.now(datetime.UTC)


class _SplitFn(beam.DoFn):
    """Parts outcomes into rows that go on and rejects."""

    def process(self, outcome: Outcome) -> Iterator[Any]:
        rows, rejects = outcome
        yield rows
        if rejects.num_rows:
            yield beam.pvalue.TaggedOutput("rejects", rejects)


def split_rejects(
    outcomes: beam.PCollection[Outcome], dead_letters: DeadLetters | None, step: str
) -> Batches:
    """Ends a verb: good rows go on, rejects leave by the door.

    Args:
      outcomes: What the verb made of each batch.
      dead_letters: The door; None lets the first rejected row fail the pipeline.
      step: The verb's label.

    Returns: The rows that go on.
    """
    if dead_letters is None:
        strict = functools.partial(no_rejects, step=step)
        return outcomes | "Door" >> beam.Map(strict).with_output_types(pa.RecordBatch)
    split = outcomes | "Door" >> beam.ParDo(_SplitFn()).with_outputs("rejects", main="rows")
    # Tagged outputs are untyped, and Beam would pickle their elements.
    split.rows.element_type = pa.RecordBatch
    split.rejects.element_type = pa.RecordBatch
    dead_letters.take(split.rejects, step)
    return split.rows
