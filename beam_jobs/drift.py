"""Tells what has drifted: python -m beam_jobs.drift --input in/ --baseline b/ --output drift/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beam_jobs.judging.alerts import tell
from beam_jobs.judging.drift_plan import run_plan
from beam_jobs.judging.drift_report import run_report
from beam_jobs.judging.drift_verdict import drift_verdict
from beam_jobs.judging.event_times import time_column
from beam_jobs.launch import run
from beam_jobs.options.declare import Seconds, option
from beam_jobs.options.drift import GROUP, LabelOptions, PolicyOptions, TimeUnitOptions
from beam_jobs.options.rows import InputOptions
from beam_jobs.options.streaming import EVENT_TIME
from beam_jobs.running.run import Run
from beam_jobs.running.setting import is_unbounded
from beam_jobs.streaming.drift_state import state_of
from beam_jobs.streaming.quality import add_quality, error_events, labels_of
from beam_jobs.streaming.quality_state import quality_state
from beam_jobs.streaming.streams import lateness, read
from transforms.errors import ConfigError
from transforms.families import family_of

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.drift.baseline import Baseline
    from transforms.io.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Options(PolicyOptions, LabelOptions, TimeUnitOptions, InputOptions):
    """Compares windows of rows with a baseline, column by column, and reports what has drifted.

    Of files it writes verdicts and report.html, and prints what moved; of messages the verdicts of
    each window, when it ends.

    Examples:
      python -m beam_jobs.drift --input eval.csv --baseline trips.baseline --output drift/
      python -m beam_jobs.drift --input 'day/*.parquet' --event_time_column t --window 1h \
--baseline trips.baseline --output drift/
      python -m beam_jobs.drift --input pubsub://projects/p/subscriptions/trips \
--schema trips.pbtxt --window 10m --baseline trips.baseline --output gs://bucket/drift/
      python -m beam_jobs.drift plan --baseline trips.baseline --traffic 5000/h
      python -m beam_jobs.drift report gs://bucket/drift/ --baseline trips.baseline \
--output report.html
    """

    output: str = option(
        "A folder for verdicts: Parquet unless ?format=jsonl says otherwise. Nothing appears there "
        "before the job is done; of messages, before a window ends. Those of messages may be "
        "messages too: pubsub://projects/P/topics/T?format=json.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
        messages=True,
    )
    baseline: str = option(
        "With what windows are compared: what the baseline job has written.",
        kind="GCS_READ_FOLDER",
        metavar="URI",
        group=GROUP,
    )
    event_time_column: str = option(
        "The column of event times, by which windows are cut. By default the publish time of "
        "messages; of files none, and all rows are one window. An attribute of messages is a "
        "column if the URI says ?attributes=NAME.",
        default=EVENT_TIME,
        metavar="COLUMN",
        group=GROUP,
    )
    window: Seconds = option(
        "The length of a window, as in 1h.",
        default=3600.0,
        minimum=0.001,
        group=GROUP,
    )
    period: Seconds | None = option(
        "The time from the start of a window to the next one, if they overlap: 10m, say.",
        default=None,
        minimum=0.001,
        group=GROUP,
    )
    fanout: int = option(
        "Add up the counts of a window under so many keys first, where one worker is too slow.",
        default=1,
        minimum=1,
        group=GROUP,
        metavar="N",
    )
    alert_on_silence: bool = option(
        "Messages: two windows without rows are an incident as soon as their time is over; by "
        "default when rows come again.",
        default=False,
        group=GROUP,
    )
    fail_on_drift: bool = option(
        "Files: exit with code 3 if a column has drifted, or is missing.",
        default=False,
        group=GROUP,
        in_template=False,
    )

    @property
    def also_of_files(self) -> tuple[str, ...]:
        """Windows are of files too."""
        return "event_time_column", "window"


def resolve(options: Options) -> "tuple[Input, Baseline, Input | None]":
    """Reads the baseline and looks at the input, whose types it must fit."""
    from transforms.drift.baseline import read_baseline
    from transforms.drift.fit import check_fits, types_of
    from transforms.io.inputs import resolve_input

    if not family_of(options.output).bounded and not is_unbounded(options):
        raise ConfigError("--output: verdicts of files are written to a folder, not to a topic")
    baseline = read_baseline(options.baseline)
    source = resolve_input(
        options.input,
        options.schema,
        types_of(baseline),
        limit=options.limit,
        **(options.streaming if is_unbounded(options) else {}),
    )
    check_fits(baseline, source.schema)
    return source, baseline, labels_of(options, baseline, source.schema)


def build(
    root: "beam.Pipeline",
    resolved: "tuple[Input, Baseline, Input | None]",
    options: Options,
    run: Run,
) -> None:
    """Builds the whole pipeline."""
    source, baseline, labels = resolved
    if source.bounded:
        _judge_files(root, source, baseline, labels, options, run)
        return
    _judge_messages(root, source, baseline, labels, options, run)


def _judge_messages(
    root: "beam.Pipeline",
    source: "Input",
    baseline: "Baseline",
    labels: "Input | None",
    options: Options,
    run: Run,
) -> None:
    import apache_beam as beam

    from transforms.drift.confirm import ConfirmDrift
    from transforms.drift.detect import DetectDrift
    from transforms.drift.fill import FillWindows
    from transforms.drift.incidents.series import Confirmation
    from transforms.io.write import Write

    state = state_of(options, run, baseline)
    measured = None
    if state is not None and labels is not None:
        # Two journals know of the same messages, and one of them may know of less.
        state, measured = state.apart(), quality_state(options, run, baseline, state)
    elif state is not None:
        source = state.known(source)
    of_messages = sorted(set(source.schema.names) - set(source.content.names))
    late = lateness(options, run.setting.native)["allowed_lateness"]
    detect = DetectDrift(
        baseline,
        options.window,
        options.period,
        options.event_time_column,
        late,
        options.drift_policy,
        ignored=(*of_messages, options.event_time_column),
        fanout=options.fanout,
        journal=None if state is None else state.journal,
    )
    # A row that is late for one window of those that overlap may be in time for the next.
    longer = replace(options, allowed_lateness=options.allowed_lateness + options.window)
    period = options.period or options.window
    rows = read(root, source, longer if options.period else options, run)
    resumed = None if state is None else state.resumed
    verdicts = rows | detect | FillWindows(baseline, options.drift_policy, period, resumed)
    _ = verdicts | Write(options.output, run.commit)
    events = []
    if options.alerts is not None:
        # Where the runner reads messages by itself no row is too late: then windows never wait.
        wait = 0.0 if run.setting.native else options.allowed_lateness
        silence = 2 if options.alert_on_silence else 0
        notes = None if state is None else state.notes
        confirm = ConfirmDrift(options.drift_policy, Confirmation(), wait, period, silence, notes)
        every = verdicts if state is None else state.with_published(root, verdicts)
        events.append(every | confirm)
    if labels is not None:
        column = options.event_time_column
        quality = add_quality(root, rows, labels, baseline, options, run, column, measured)
        _ = quality | "WriteQuality" >> Write(str(options.quality_output), run.commit)
        if options.alerts is not None:
            events.append(error_events(root, quality, options, measured))
    if options.alerts is not None:
        tell(
            events[0] if len(events) == 1 else events | "AllEvents" >> beam.Flatten(),
            options.alerts,
            run,
        )


def _judge_files(
    root: "beam.Pipeline",
    source: "Input",
    baseline: "Baseline",
    labels: "Input | None",
    options: Options,
    run: Run,
) -> None:
    from transforms.drift.profile import ProfileWindows
    from transforms.drift.rows import timed
    from transforms.drift.store import JudgeWindows, StoreOutcome
    from transforms.io.read import Read

    column = time_column(options, source.schema, "event_time_unit", "period")
    size = None if column is None else options.window
    target = run.commit.target(options.output)
    rows = root | Read(source, dead_letters=run.dead_letters)
    rows = timed(rows, column, options.event_time_unit, size, run.dead_letters)
    profiles = rows | ProfileWindows(baseline, size, options.period, column, fanout=options.fanout)
    title = f"Drift of {options.input}"
    step = options.period or size
    judge = JudgeWindows(baseline, options.drift_policy, step, title, target.format)
    found = profiles
    if labels is not None:
        found = profiles, add_quality(root, rows, labels, baseline, options, run, column)
    events = found | judge | StoreOutcome(run.whole, target)
    if options.alerts is not None:
        tell(events, options.alerts, run)
    run.commit.published(rows, options.output)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job or a sub-command, and returns its exit code."""
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] == "plan":
        return run_plan(given)
    if given and given[0] == "report":
        return run_report(given)
    return run(Options, resolve, build, argv, drift_verdict)


if __name__ == "__main__":
    sys.exit(main())
