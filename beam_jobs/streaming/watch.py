"""Drift as a branch of a job that scores: its scored rows are compared with a baseline."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.judging.alerts import tell
from beam_jobs.judging.event_times import time_column
from beam_jobs.options.drift import WatchOptions
from beam_jobs.options.rows import InputOptions
from beam_jobs.running.logs import say
from beam_jobs.streaming.streams import lateness
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.drift.baseline import Baseline
    from transforms.io.inputs import Input


@dataclass(frozen=True, kw_only=True)
class WatchedOptions(WatchOptions, InputOptions):
    """The options of a job with such a branch."""


@dataclass(frozen=True)
class Watch:
    """What is compared, and with what.

    Attributes:
      baseline: With what.
      column: The column of event times; None if all rows are one window.
      size: The length of the windows in seconds; None where there are none.
      ignored: Columns that are not new where they are: ids of messages, say.
    """

    baseline: "Baseline"
    column: str | None
    size: float | None
    ignored: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it needs, as far as they are there."""
        names = tuple(each.name for each in self.baseline.layout.columns)
        return names if self.column is None else (*names, self.column)

    def kept(self, keep: tuple[str, ...], source: "Input") -> tuple[str, ...]:
        """Returns the columns that are to be kept of the input so that it can look at them."""
        more = [name for name in self.columns if name in source.schema.names]
        return (*keep, *(name for name in more if name not in keep))


def watch_of(
    options: WatchedOptions, source: "Input", outputs: "Iterable[pa.Field]"
) -> Watch | None:
    """Reads the baseline, and looks whether what is scored fits it.

    Args:
      options: The job's.
      source: The input.
      outputs: The columns that the model adds.

    Returns: What is compared; None without a baseline.

    Raises:
      ConfigError: It is no baseline, or of other data; an option is missing.
    """
    if options.baseline is None:
        _check_unused(options)
        return None
    if options.drift_output is None:
        raise ConfigError("--baseline needs --drift_output: where are the verdicts written?")
    import pyarrow as pa

    from transforms.drift.baseline import read_baseline
    from transforms.drift.fit import check_fits

    baseline = read_baseline(options.baseline)
    added = [field for field in outputs if field.name not in source.schema.names]
    check_fits(baseline, pa.schema([*source.schema, *added]))
    known = {each.name for each in baseline.layout.columns}
    if not known & {field.name for field in added}:
        names = ", ".join(field.name for field in added)
        say("score", f"--baseline has none of the predictions, {names}: build it of scored rows")
    column = options.event_time_column
    if source.bounded:
        column = time_column(options, source.schema, "event_time_unit", "drift_window") or ""
    size = options.drift_window or (baseline.window_us or options.window * 10**6) / 10**6
    of_messages = set(source.schema.names) - set(source.content.names)
    ignored = tuple(sorted({*of_messages, *([column] if column else [])}))
    return Watch(baseline, column or None, size if column else None, ignored)


def _check_unused(options: WatchedOptions) -> None:
    names = (
        "drift_output",
        "drift_window",
        "alerts",
        "event_time_unit",
        "suspect",
        "drift",
        "methods",
    )
    for name in (*names, "least_rows"):
        if getattr(options, name) != getattr(WatchOptions, name):
            raise ConfigError(f"--{name} needs --baseline: with what is drift compared?")


def add_watch(scored: "Batches", watch: Watch, options: WatchedOptions, run: "Run") -> None:
    """Adds the comparison beside a job's work; rows without a time are in no window of it."""
    assert options.drift_output is not None
    add = _add_of_messages if run.setting.unbounded else _add_of_files
    add(scored, watch, options, run)


def _add_of_files(scored: "Batches", watch: Watch, options: WatchedOptions, run: "Run") -> None:
    from transforms.drift.profile import ProfileWindows
    from transforms.drift.rows import timed
    from transforms.drift.store import JudgeWindows, StoreOutcome

    target = run.commit.target(str(options.drift_output), evidence=True)
    unit, size = options.event_time_unit, watch.size
    rows = timed(scored, watch.column, unit, size, None, drop=True)
    profile = ProfileWindows(watch.baseline, size, None, watch.column, ignored=watch.ignored)
    title = f"Drift of {options.input}, scored"
    judge = JudgeWindows(watch.baseline, options.drift_policy, size, title, target.format)
    events = rows | profile | judge | StoreOutcome(run.whole, target, judged=False)
    if options.alerts is not None:
        tell(events, options.alerts, run)


def _add_of_messages(scored: "Batches", watch: Watch, options: WatchedOptions, run: "Run") -> None:
    from transforms.drift.confirm import ConfirmDrift
    from transforms.drift.detect import DetectDrift
    from transforms.io.write import Write

    late = lateness(options, run.setting.native)["allowed_lateness"]
    detect = DetectDrift(
        watch.baseline,
        watch.size,
        event_time_column=watch.column,
        allowed_lateness=late,
        policy=options.drift_policy,
        ignored=watch.ignored,
    )
    verdicts = scored | detect
    _ = verdicts | "WriteDrift" >> Write(str(options.drift_output), run.commit)
    if options.alerts is not None:
        wait = 0.0 if run.setting.native else options.allowed_lateness
        tell(verdicts | ConfirmDrift(options.drift_policy, wait=wait), options.alerts, run)
