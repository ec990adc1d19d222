"""Outcomes that come with notes: the notes go to who asked for them, the rest as ever."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa

from privacy.local.notes import Notes
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.rejects import Outcome

TakeNotes: TypeAlias = Callable[["beam.PCollection[Notes]"], None]
"""Is given a collection of the notes of batches, when the pipeline is made."""

_OUTCOME = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]


class _SplitFn(beam.DoFn):
    """Parts outcomes from their notes."""

    def process(self, noted: tuple[Outcome, Notes]) -> Iterator[Any]:
        outcome, notes = noted
        yield outcome
        yield beam.pvalue.TaggedOutput("notes", notes)


def split_noted(
    noted: "beam.PCollection[tuple[Outcome, Notes]]",
    dead_letters: DeadLetters | None,
    step: str,
    take: TakeNotes | None,
) -> Batches:
    """Ends a verb whose outcomes come with notes.

    Args:
      noted: What the verb made of each batch.
      dead_letters: The door; None lets the first rejected row fail the pipeline.
      step: The verb's label.
      take: Takes the notes; None lets them go.

    Returns: The rows that go on.
    """
    noted.element_type = beam.typehints.Tuple[_OUTCOME, Notes]
    split = noted | "Notes" >> beam.ParDo(_SplitFn()).with_outputs("notes", main="outcomes")
    split.outcomes.element_type = _OUTCOME
    split.notes.element_type = Notes
    if take is not None:
        take(split.notes)
    return split_rejects(split.outcomes, dead_letters, step)
