"""What jobs do when their input has no end."""

from typing import TYPE_CHECKING

from beam_jobs.stream_options import StreamOptions
from transforms.io.pubsub.uris import is_pubsub

if TYPE_CHECKING:
    from beam_jobs.launch import Run
    from transforms.window_batches import WindowBatches

MESSAGE_COLUMNS = ("message_id", "ordering_key")
"""Columns that say which message a row came from: kept, to tell what is delivered twice."""


def is_unbounded(options: object) -> bool:
    """Whether a job's input has no end."""
    return is_pubsub(getattr(options, "input", None))


def windows_of(options: StreamOptions, run: "Run") -> "WindowBatches":
    """The windows that the options describe."""
    from transforms.window_batches import WindowBatches

    return WindowBatches(
        options.window,
        event_time_column=options.event_time_column,
        allowed_lateness=options.allowed_lateness,
        late=options.late,
        dead_letters=run.dead_letters,
    )
