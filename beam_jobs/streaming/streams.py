"""What jobs do when their input has no end."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from beam_jobs.options.declare import JobOptions
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.running.logs import say
from beam_jobs.running.setting import is_unbounded
from transforms.errors import ConfigError
from transforms.families import family_of

if TYPE_CHECKING:
    import apache_beam as beam

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.commit.stream.commit import StreamCommit
    from transforms.io.inputs import Input


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
    "report": "there is no end at which it could be written; --findings come window by window",
    "quasi_identifiers": _NO_END,
    "subject_index": "its rows have no place before their window ends",
    "sensitive": _NO_END,
    "reidentify": "there is no end at which its audit record could be written",
    "fail_on_drift": _NO_END,
    "event_time_unit": "numbers count milliseconds there",
}
"""Options of runs that end which mean nothing in others, and why."""

LEASES_END_SECONDS = 75.0
"""After a kill, what was pulled comes again when its lease of 60 s has ended; and some more."""

_NO_ROW_TOO_LATE = "no row is too late there: what is late becomes a file more"
_OWN_WATERMARK = "it follows event time by itself"
NOT_NATIVE = {
    "allowed_lateness": _NO_ROW_TOO_LATE,
    "late": _NO_ROW_TOO_LATE,
    "max_disorder": _OWN_WATERMARK,
    "idle_after": _OWN_WATERMARK,
    "dedup_horizon": "it remembers keys for ten minutes",
    "deadline": "it decides how many messages are worked on at once",
}
"""Options that mean nothing where the runner reads messages by itself, and why."""


def kept_columns(source: "Input", output: str) -> tuple[str, ...]:
    """Returns the columns that are kept in any case.

    The ids of messages show which were delivered twice, and a topic may want their ordering keys.
    """
    kept = source.family.kept
    return kept if family_of(output) is source.family else kept[:1]


def log_inferred_columns(job: str, source: "Input") -> None:
    """Says which fields of payloads become columns, where nobody has named them."""
    if source.guessed:
        names = ", ".join(source.guessed)
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
    of_streams -= set(options.also_of_files)
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
    """Returns how late rows may be, for `StreamCommit`.

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


def hold(options: StreamOptions, commit: "StreamCommit", deadline: Callable[[], int]) -> float:
    """Returns for how many seconds event time stands still at the start of a run.

    Where the run goes on after a kill, what it had pulled comes again when its leases end, after
    much that was published later.

    Args:
      options: The job's.
      commit: The run's.
      deadline: Gives the seconds that the subscription leaves for an acknowledgement: the lease of
        what had just been pulled.
    """
    if not commit.was_cut_short():
        return 0.0
    seconds = max(LEASES_END_SECONDS, deadline() + 15.0)
    if options.allowed_lateness >= seconds:
        return 0.0
    commit.hold(seconds)
    return seconds


def read(root: "beam.Pipeline", source: "Input", options: StreamOptions, run: "Run") -> "Batches":
    """Reads a source; rows without end come in the windows that the options describe."""
    from transforms.io.read import Read
    from transforms.windows.window_batches import WindowBatches

    native = run.setting.native
    if not source.bounded and not native:
        source = source.held(hold(options, cast("StreamCommit", run.commit), _deadline_of(source)))
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


def _deadline_of(source: "Input") -> Callable[[], int]:
    from transforms.io.pubsub.clients import Subscriber
    from transforms.io.pubsub.uris import address

    return Subscriber(address(source.uri).name).deadline
