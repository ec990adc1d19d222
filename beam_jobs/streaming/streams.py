"""What jobs do when their input has no end."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from beam_jobs.options.declare import JobOptions
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.running.logs import say
from transforms.errors import ConfigError
from transforms.io.pubsub.uris import is_pubsub

if TYPE_CHECKING:
    import apache_beam as beam

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.commit.commit import Commit
    from transforms.io.file_source import Source
    from transforms.io.pubsub.source import PubSubSource


_NO_END = "there is no end at which it could be decided"
NOT_FOR_MESSAGES = {
    "shards": "files appear as windows end",
    "overwrite": "such a run adds to its output; name another place, or remove it",
    "max_rejected_fraction": _NO_END,
    "allow_unreadable_files": "there are no files to read",
    "gate": _NO_END,
    "environment": _NO_END,
    "reference": _NO_END,
    "reference_kind": _NO_END,
    "examples": _NO_END,
}
"""Options of runs that end which mean nothing in others, and why."""

LEASES_END_SECONDS = 75.0
"""After a kill, what was pulled comes again when its lease of 60 s has ended; and some more."""

_NO_ROW_TOO_LATE = "no row is too late there: what is late becomes a file more"
_OWN_WATERMARK = "it tells by itself how far event time is"
NOT_NATIVE = {
    "allowed_lateness": _NO_ROW_TOO_LATE,
    "late": _NO_ROW_TOO_LATE,
    "max_disorder": _OWN_WATERMARK,
    "idle_after": _OWN_WATERMARK,
    "dedup_horizon": "it remembers keys for ten minutes",
    "deadline": "it decides how many messages are worked on at once",
}
"""Options that mean nothing where the runner reads messages by itself, and why."""


def is_unbounded(options: object) -> bool:
    """Whether a job's input has no end."""
    return is_pubsub(getattr(options, "input", None))


def message_columns(output: str) -> tuple[str, ...]:
    """The columns of messages that are kept in any case.

    Their ids tell what is delivered twice, and a topic may want their ordering keys.
    """
    return ("message_id", "ordering_key") if is_pubsub(output) else ("message_id",)


def tell_columns(job: str, source: "Source | PubSubSource") -> None:
    """Says which fields of payloads become columns, where nobody has named them."""
    from transforms.io.pubsub.source import PubSubSource

    if isinstance(source, PubSubSource) and source.of_reader:
        names = ", ".join(source.payload_schema.names)
        say(job, f"reads {names} of the payloads, which the model needs; --schema names others")


def check_relevant(options: object) -> None:
    """Looks whether options are given that mean nothing for the input.

    Raises:
      ConfigError: One is.
    """
    if not isinstance(options, StreamOptions):
        return
    of_streams = {field.name for field in dataclasses.fields(StreamOptions)} - {
        field.name for field in dataclasses.fields(JobOptions)
    }
    for field in dataclasses.fields(options):
        if getattr(options, field.name) == field.default:
            continue
        if is_unbounded(options) and field.name in NOT_FOR_MESSAGES:
            why = NOT_FOR_MESSAGES[field.name]
            raise ConfigError(f"--{field.name} is for files, and the input is messages: {why}")
        if not is_unbounded(options) and field.name in of_streams:
            raise ConfigError(
                f"--{field.name} is for messages, and the input is files: leave it out"
            )


def check_native(options: StreamOptions) -> None:
    """Looks whether a runner that reads messages by itself can do what is wanted.

    Raises:
      ConfigError: An option is given that would do nothing.
    """
    for field in dataclasses.fields(options):
        if field.name in NOT_NATIVE and getattr(options, field.name) != field.default:
            raise ConfigError(
                f"--{field.name} is for local runs, and Dataflow can't take it: "
                f"{NOT_NATIVE[field.name]}. Leave it out"
            )


def lateness(options: StreamOptions, native: bool) -> dict[str, Any]:
    """How late rows may be, for `StreamCommit`.

    Args:
      options: The job's.
      native: Whether the runner reads messages by itself. No step then knows its watermark, and
        can count what comes too late: so nothing does, and late rows are gathered for as long as
        a window lasts, for bundles are small there.
    """
    from transforms.windows.assign import ANY_LATENESS

    if native:
        return {"allowed_lateness": ANY_LATENESS, "late_wait": options.window}
    return {"allowed_lateness": options.allowed_lateness}


def hold(options: StreamOptions, commit: "Commit", deadline: Callable[[], int]) -> float:
    """For how many seconds event time stands still at the start of a run.

    Where the run goes on after a kill, what it had pulled comes again when its leases end, after
    much that was published later.

    Args:
      options: The job's.
      commit: The run's.
      deadline: Gives the seconds that the subscription leaves for an acknowledgement: the lease of
        what had just been pulled.
    """
    from transforms.commit.stream.commit import StreamCommit

    if not isinstance(commit, StreamCommit) or not commit.was_cut_short():
        return 0.0
    seconds = max(LEASES_END_SECONDS, deadline() + 15.0)
    if options.allowed_lateness >= seconds:
        return 0.0
    commit.hold(seconds)
    return seconds


def read(
    root: "beam.Pipeline", source: "Source | PubSubSource", options: StreamOptions, run: "Run"
) -> "Batches":
    """The rows of a source; where they have no end, in the windows that the options describe."""
    from beam_jobs.running.runners import reads_natively
    from transforms.io.pubsub.clients import Subscriber
    from transforms.io.pubsub.source import PubSubSource
    from transforms.io.read import Read
    from transforms.windows.window_batches import WindowBatches

    native = reads_natively(root.options)
    if isinstance(source, PubSubSource) and not native:
        client = Subscriber(source.address.name)
        source = dataclasses.replace(source, hold=hold(options, run.commit, client.deadline))
    rows: Batches = root | Read(source, dead_letters=run.dead_letters, native=native)
    if source.bounded:
        return rows
    windowed: Batches = rows | WindowBatches(
        options.window,
        event_time_column=options.event_time_column,
        allowed_lateness=lateness(options, native)["allowed_lateness"],
        late=options.late,
        dead_letters=run.dead_letters,
    )
    return windowed
