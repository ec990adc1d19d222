"""The quality of predictions, by labels that come later: a branch of the drift job."""

from typing import TYPE_CHECKING, Any

from beam_jobs.options.drift import LabelOptions
from beam_jobs.running.setting import is_unbounded
from transforms.errors import ConfigError
from transforms.families import family_of

if TYPE_CHECKING:
    import apache_beam as beam
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from beam_jobs.streaming.quality_state import QualityState
    from transforms.coders import Batches
    from transforms.drift.baseline import Baseline
    from transforms.io.inputs import Input


def labels_of(options: Any, baseline: "Baseline", columns: "pa.Schema") -> "Input | None":
    """Looks at the labels, and whether rows and labels have what joins them.

    Args:
      options: The job's: `LabelOptions` and `InputOptions`.
      baseline: What is predicted.
      columns: Those of the rows.

    Returns: The labels; None without any.

    Raises:
      ConfigError: A column or an option is missing.
    """
    from transforms.io.inputs import resolve_input

    _check(options, baseline)
    if options.label_input is None or baseline.reference is None:
        return None
    quality = baseline.reference.quality
    settings = {**options.streaming, "event_time": "publish_time", "dedup_key": None}
    source = resolve_input(
        options.label_input, options.label_schema, **(settings if is_unbounded(options) else {})
    )
    for flag, there, names in (
        ("--input", columns, (*options.label_key, *quality.given)),
        ("--label_input", source.schema, (*options.label_key, quality.label)),
    ):
        missing = [name for name in names if name not in there.names]
        if missing:
            raise ConfigError(f"{flag} has no column {missing[0]!r}, by which labels are joined")
    return source


def _check(options: Any, baseline: "Baseline") -> None:
    if options.label_input is None:
        for name in ("label_key", "label_wait", "label_schema", "quality_output"):
            if getattr(options, name) != getattr(LabelOptions, name):
                raise ConfigError(f"--{name} needs --label_input")
        return
    if baseline.reference is None:
        raise ConfigError(
            "--label_input: the baseline knows no labels: build it with --label_column and "
            "--prediction_column, of rows that have both"
        )
    if not options.label_key:
        raise ConfigError("--label_input needs --label_key: the columns that rows and labels share")
    if family_of(options.label_input).bounded == is_unbounded(options):
        raise ConfigError(
            "--label_input are files where --input is, and messages where it is messages"
        )
    if is_unbounded(options) != (options.quality_output is not None):
        raise ConfigError(
            "--quality_output is needed with --label_input of messages, and only there: of files "
            "OUTPUT/quality.parquet has the quality"
        )


def add_quality(
    root: "beam.Pipeline",
    rows: "Batches",
    labels: "Input",
    baseline: "Baseline",
    options: Any,
    run: "Run",
    column: str | None,
    state: "QualityState | None" = None,
) -> "Batches":
    """Adds the quality of predictions beside the drift of rows.

    Args:
      root: The pipeline.
      rows: Those with predictions.
      labels: Where labels are.
      baseline: What is predicted, and how good it was.
      options: The job's.
      run: The run.
      column: The column of the rows' times; None if all are one window.
      state: What survives a kill.

    Returns: The quality of each window.
    """
    from transforms.drift.measure import MeasureQuality
    from transforms.io.read import Read

    dead = None if labels.bounded else run.dead_letters
    told = root | "ReadLabels" >> Read(labels, dead_letters=dead, native=run.setting.native)
    size = None if column is None else options.window
    measure = MeasureQuality(
        baseline,
        options.label_key,
        size,
        column,
        options.label_wait,
        journal=None if state is None else state.journal,
    )
    quality: Batches = (rows, told) | measure
    return quality if state is None else state.fresh(quality)


def error_events(
    root: "beam.Pipeline", quality: "Batches", options: Any, state: "QualityState | None"
) -> "Batches":
    """Returns the events of incidents of errors, of messages."""
    from transforms.drift.confirm import ConfirmErrors
    from transforms.drift.measure import MOMENT_US

    # All shards have reported a window a moment after it has waited for its labels.
    wait = options.label_wait + MOMENT_US / 10**6
    notes = None if state is None else state.notes
    every = quality if state is None else state.with_published(root, quality)
    events: Batches = every | ConfirmErrors(wait=wait, notes=notes)
    return events
