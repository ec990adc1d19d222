"""What jobs do when their input has no end."""

from typing import TYPE_CHECKING

from beam_jobs.stream_options import StreamOptions
from transforms.io.pubsub.uris import is_pubsub

if TYPE_CHECKING:
    import apache_beam as beam

    from beam_jobs.launch import Run
    from transforms.batches import Batches
    from transforms.io.pubsub.source import PubSubSource
    from transforms.io.source import Source

MESSAGE_COLUMNS = ("message_id", "ordering_key")
"""Columns that say which message a row came from: kept, to tell what is delivered twice."""


def is_unbounded(options: object) -> bool:
    """Whether a job's input has no end."""
    return is_pubsub(getattr(options, "input", None))


def read(
    root: "beam.Pipeline", source: "Source | PubSubSource", options: StreamOptions, run: "Run"
) -> "Batches":
    """The rows of a source; where they have no end, in the windows that the options describe."""
    from transforms.io.read import Read
    from transforms.window_batches import WindowBatches

    rows: Batches = root | Read(source, dead_letters=run.dead_letters)
    if source.bounded:
        return rows
    windowed: Batches = rows | WindowBatches(
        options.window,
        event_time_column=options.event_time_column,
        allowed_lateness=options.allowed_lateness,
        late=options.late,
        dead_letters=run.dead_letters,
    )
    return windowed
