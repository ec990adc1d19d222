"""The options of jobs whose input may have no end."""

from dataclasses import dataclass
from typing import Any

from beam_jobs.options.declare import JobOptions, Seconds, option

GROUP = "Streaming"
EVENT_TIME = "publish_time"


@dataclass(frozen=True, kw_only=True)
class StreamOptions(JobOptions):
    """How a job reads messages; these options have no effect on files.

    What is not in the template means nothing where the runner reads messages by itself, and is
    refused there (`streams.NOT_NATIVE`).
    """

    event_time_column: str = option(
        "Messages: the column of event times, by which windows are cut. An attribute is a column "
        "if the URI says ?attributes=NAME; texts are ISO 8601, or milliseconds since 1970.",
        default=EVENT_TIME,
        metavar="COLUMN",
        group=GROUP,
    )
    window: Seconds = option(
        "Messages: the length of a window, as in 10m; files appear as windows end.",
        default=60.0,
        minimum=0.001,
        group=GROUP,
    )
    allowed_lateness: Seconds = option(
        "Messages, locally: for how long after its end a window takes rows, in files of "
        "their own. On Dataflow it takes them for good.",
        default=0.0,
        minimum=0.0,
        group=GROUP,
        in_template=False,
    )
    late: str = option(
        "Messages, locally: what becomes of rows that are later still: drop counts them, "
        "dead_letters rejects them. On Dataflow no row is.",
        default="drop",
        choices=("drop", "dead_letters"),
        group=GROUP,
        in_template=False,
    )
    max_disorder: Seconds = option(
        "Messages, locally: by how much event time they may come out of order. Dataflow "
        "finds that out.",
        default=10.0,
        minimum=0.0,
        group=GROUP,
        in_template=False,
    )
    idle_after: Seconds = option(
        "Messages, locally: after how long without any, event time goes on with the clock. "
        "On Dataflow it always does.",
        default=30.0,
        minimum=0.0,
        group=GROUP,
        in_template=False,
    )
    dedup_key: str | None = option(
        "Messages: a column; rows with a value that came before are left out, and counted. "
        "Messages that are delivered twice always are. A new start has forgotten the values. On "
        "Dataflow it is an attribute, one that every message has, and values are remembered for "
        "ten minutes.",
        default=None,
        metavar="COLUMN",
        group=GROUP,
    )
    dedup_horizon: Seconds = option(
        "Messages, locally: for how long message ids and keys are remembered.",
        default=600.0,
        minimum=1.0,
        group=GROUP,
        in_template=False,
    )
    deadline: Seconds = option(
        "Messages, locally: after how long at most a message is worked on, however few there are.",
        default=0.2,
        minimum=0.01,
        group=GROUP,
        in_template=False,
    )

    @property
    def also_of_files(self) -> tuple[str, ...]:
        """Options that a job heeds with files too."""
        return ()

    @property
    def streaming(self) -> dict[str, Any]:
        """The settings of a source of messages; the deadline leaves time for the work itself."""
        return {
            "event_time": self.event_time_column,
            "disorder": self.max_disorder,
            "idle": self.idle_after,
            "dedup_key": self.dedup_key,
            "dedup_horizon": self.dedup_horizon,
            "linger": self.deadline / 4,
        }
