"""The one door by which rejected rows leave, row by row, each with a reason."""

import functools
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Batches, row_sources
from transforms.errors import RejectedRows

if TYPE_CHECKING:
    from transforms.commit.commit import Commit


class Reason(StrEnum):
    """Why a row was rejected: stable codes, to group and filter by."""

    MISSING_VALUE = "missing_value"
    WRONG_TYPE = "wrong_type"
    OVERFLOW = "overflow"
    LOSSY_CAST = "lossy_cast"
    WRONG_SHAPE = "wrong_shape"
    RAGGED_LINE = "ragged_line"
    UNPARSABLE = "unparsable"
    INVALID_UTF8 = "invalid_utf8"
    MODEL_ERROR = "model_error"
    OUTPUT_ERROR = "output_error"
    PUBLISH_ERROR = "publish_error"
    UNREADABLE_FILE = "unreadable_file"
    TRUNCATED_FILE = "truncated_file"
    OVERSIZED = "oversized"
    LATE = "late"
    OUT_OF_RANGE = "out_of_range"
    NOT_IN_DOMAIN = "not_in_domain"
    NOT_FINITE = "not_finite"
    RULE_VIOLATED = "rule_violated"
    DUPLICATE = "duplicate"


FILE_REASONS = frozenset({Reason.UNREADABLE_FILE, Reason.TRUNCATED_FILE})
"""Reasons of a dead letter that stands for a file: how many rows it lost is unknown."""

REJECTS = pa.schema(
    [
        ("payloadString", pa.string()),
        ("payloadBytes", pa.binary()),
        ("attributes", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
        ("errorMessage", pa.string()),
        ("stacktrace", pa.string()),
        ("reason", pa.string()),
        ("column", pa.string()),
        ("source", pa.string()),
        ("version", pa.string()),
    ]
)
"""What a verb knows of a rejected row; `version` is that of the model or schema it failed."""

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

NO_REJECTS: pa.RecordBatch = pa.RecordBatch.from_arrays(
    [pa.nulls(0, field.type) for field in REJECTS], schema=REJECTS
)

Outcome = tuple[pa.RecordBatch, pa.RecordBatch]
"""What a verb makes of a batch: the rows that go on and the rejects; either may be empty."""


def reject_rows(
    rows: pa.RecordBatch,
    reason: Reason,
    message: str,
    *,
    column: str | None = None,
    sources: pa.Array | None = None,
    version: str | None = None,
) -> pa.RecordBatch:
    """Rejects rows that were read; the payload is each row as JSON.

    Args:
      rows: The n rejected rows.
      reason: Why.
      message: Why, for a person. It must not hold a value of a row.
      column: The column at fault.
      sources: Where each row came from (n strings), as `row_sources` tells it.
      version: The model or schema that they failed.

    Returns: n rejects, of schema `REJECTS`.
    """
    from transforms.arrow.json_text import json_rows

    if sources is None:
        sources = row_sources(rows, np.arange(rows.num_rows))
    payloads = json_rows(rows)
    return reject_payloads(
        payloads, reason, message, column=column, sources=sources, version=version
    )


def reject_payloads(
    payloads: pa.Array,
    reason: Reason,
    message: str,
    *,
    column: str | None = None,
    sources: pa.Array | None = None,
    version: str | None = None,
) -> pa.RecordBatch:
    """Rejects rows that could not be read; the payload is what stands in the file.

    Args:
      payloads: n strings or byte strings.
      reason: Why.
      message: Why, for a person. It must not hold a value of a row.
      column: The column at fault.
      sources: Where each row came from (n strings).
      version: The model or schema that they failed.

    Returns: n rejects, of schema `REJECTS`.
    """
    rows = len(payloads)
    known = {
        "payloadString" if pa.types.is_string(payloads.type) else "payloadBytes": payloads,
        "errorMessage": pa.repeat(message, rows),
        "reason": pa.repeat(str(reason), rows),
        "column": pa.nulls(rows, pa.string()) if column is None else pa.repeat(column, rows),
        "source": sources,
        "version": pa.nulls(rows, pa.string()) if version is None else pa.repeat(version, rows),
    }
    arrays = [known.get(field.name) for field in REJECTS]
    return pa.RecordBatch.from_arrays(
        [
            pa.nulls(rows, field.type) if array is None else array
            for field, array in zip(REJECTS, arrays, strict=True)
        ],
        schema=REJECTS,
    )


def join_rejects(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    """All rejects of a batch as one."""
    parts = [part for part in parts if part.num_rows]
    if len(parts) > 1:
        return pa.concat_batches(parts)
    return parts[0] if parts else NO_REJECTS


def rejected_rows(rejects: pa.RecordBatch) -> int:
    """How many rows were rejected; what stands for a file is not counted."""
    if not rejects.num_rows:
        return 0
    files = pc.is_in(rejects.column("reason"), value_set=pa.array(sorted(FILE_REASONS)))
    return int(rejects.num_rows - pc.sum(files).as_py())


class DeadLetters:
    """Takes the rejects of every verb, and stores them when the run is committed.

    Args:
      uri: Where they are stored: a folder or file, its format by suffix or `?format=`;
        JSON Lines where nothing says otherwise.
      commit: The run that they belong to.
      payload: "full" keeps the rejected row; "none" keeps only why and where.
    """

    def __init__(self, uri: str, commit: "Commit", payload: str = "full") -> None:
        if payload not in ("full", "none"):
            raise ValueError(f"payload is 'full' or 'none', not {payload!r}")
        self.commit, self.payload = commit, payload
        self.target = commit.target(uri, dead_letters=True)
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
        )
        letters = rejects | "Letters" >> beam.Map(stamp).with_output_types(pa.RecordBatch)
        self.commit.stage(letters, self.target, step, count="reason")
        self._taken.append((step, rejects))

    def number(self) -> "beam.PCollection[int]":
        """How many rows the verbs rejected that have taken it so far: one number."""
        counts = tuple(
            rejects | f"Of {step}" >> beam.Map(rejected_rows).with_output_types(int)
            for step, rejects in self._taken
        )
        return counts | "Counts" >> beam.Flatten() | "Number" >> beam.CombineGlobally(sum)


def stamp_rejects(
    rejects: pa.RecordBatch, step: str, pipeline: str, run_id: str, payload: bool
) -> pa.RecordBatch:
    """Makes dead letters of rejects: adds when, in which run and at which step.

    Args:
      rejects: n rejects, of schema `REJECTS`.
      step: The verb that rejected them.
      pipeline: The job.
      run_id: The run.
      payload: Whether the rejected rows themselves are kept.

    Returns: n dead letters, of schema `DEAD_LETTERS`.
    """
    rows = rejects.num_rows
    now = pa.repeat(pa.scalar(_now(), DEAD_LETTERS.field("timestamp").type), rows)
    texts = [pa.repeat(text, rows) for text in (pipeline, step, run_id)]
    kept = list(rejects.columns)
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


def through_door(
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


def no_rejects(outcome: Outcome, step: str) -> pa.RecordBatch:
    """The rows of an outcome, which must have no rejects.

    Raises:
      RejectedRows: It has some; the text says why, and for which column, but shows no value.
    """
    rows, rejects = outcome
    if rejects.num_rows:
        first = rejects.slice(0, 1).to_pylist()[0]
        where = f" at {first['source']}" if first["source"] else ""
        raise RejectedRows(
            f"{step} rejected {rejects.num_rows} row(s); the first{where}: {first['reason']}: "
            f"{first['errorMessage']}. Pass dead_letters= to put rejected rows aside and go on."
        )
    return rows
