"""Scores rows with a model: python -m beam_jobs.score --input in/ --model model/ --output out/."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.judging.judge import add_gate, gate_of, read_schema
from beam_jobs.launch import run
from beam_jobs.options.declare import option
from beam_jobs.options.model import ModelOptions
from beam_jobs.options.privacy import PolicyOptions
from beam_jobs.options.rows import RowOptions
from beam_jobs.options.validation import GROUP, ValidationOptions
from beam_jobs.privacy.redaction import (
    Redaction,
    close_door,
    redacted,
    redaction_of,
    text_types,
)
from beam_jobs.running.gpus import for_step
from beam_jobs.running.run import Run
from beam_jobs.streaming.streams import kept_columns, log_inferred_columns, read
from beam_jobs.streaming.watch import Watch, WatchedOptions, add_watch, watch_of

if TYPE_CHECKING:
    import apache_beam as beam

    from inference.devices.gpu import Gpu
    from inference.model.model import Model
    from transforms.gate.judge import Judge
    from transforms.io.inputs import Input
    from transforms.rules.files import Rules


@dataclass(frozen=True, kw_only=True)
class Options(ModelOptions, WatchedOptions, RowOptions, ValidationOptions, PolicyOptions):
    """Scores rows of files, or messages, with a TensorFlow model; writes them with predictions.

    Examples:
      python -m beam_jobs.score --input 'trips/*.parquet' --model models/tips/3 --output scored/
      python -m beam_jobs.score --input trips.csv --model tips.keras --limit 10 --output stdout:
      python -m beam_jobs.score --input in/ --model m/ --output out/ --map 'features=f*'
      python -m beam_jobs.score --input day.csv --schema s.pbtxt --gate --model m/ --output out/
      python -m beam_jobs.score --input raw.csv --model m/ --output out/ --transform_graph graph/
      python -m beam_jobs.score --input in/ --model m/ --output out/ --policy policy.yaml
    """

    keep_columns: tuple[str, ...] = option(
        "Input columns to write beside the predictions, separated by commas; all by default.",
        default=(),
        metavar="COLUMNS",
        group="Data",
    )
    gate: bool = option(
        "Judge the rows as a whole, and publish nothing if one of the anomalies is an error: of "
        "their statistics by --schema (a .pbtxt) and --reference, and of --rules about columns. "
        "OUTPUT.validation/ shows the anomalies, either way.",
        default=False,
        group=GROUP,
    )


@dataclass(frozen=True)
class Resolved:
    """What is known before the pipeline is made.

    Attributes:
      source: The rows.
      model: Scores them.
      rules: What rows must not break; None where there are no such rules.
      judge: By what the data as a whole is judged; None without a gate.
      gpu: What the model must run on; None for what there is.
      redaction: How rows are redacted that are judged; None without a policy.
      of_scored: How rows are redacted once they are scored.
      watch: With what the scored rows are compared; None without a baseline.
      needed: The input columns that scored rows keep for these two; None for all.
      kept: The columns that are written; None for all.
    """

    source: "Input"
    model: "Model"
    rules: "Rules | None"
    judge: "Judge | None"
    gpu: "Gpu | None" = None
    redaction: Redaction | None = None
    of_scored: Redaction | None = None
    watch: Watch | None = None
    needed: tuple[str, ...] | None = None
    kept: tuple[str, ...] | None = None

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that the model adds."""
        return tuple(field.name for field in self.model.output_fields())


def resolve(options: Options) -> Resolved:
    """Looks at the model, the files and the rules, and checks that they fit each other."""
    from transforms import wording

    with wording.command_line():
        return _resolve(options)


def _resolve(options: Options) -> Resolved:
    from inference.devices.gpu import Gpu
    from inference.model.model import Model
    from transforms.families import family_of
    from transforms.io.inputs import resolve_input
    from transforms.io.schema_types import with_schema_types

    model = Model.resolve(
        options.model,
        options.signature,
        mapping=options.map,
        output_prefix=options.output_prefix,
        batch_rows=options.batch_rows,
        trust_model=options.trust_model,
        model_timeout=options.model_timeout,
        transform_graph=options.transform_graph,
    )
    redaction = redaction_of(options.policy)
    told = model.input_types(times=not family_of(options.input).bounded)
    types = {**text_types(redaction), **told}
    # Behind a gate all columns are read, because an unknown column is reported too.
    columns = None if options.gate else options.schema
    source = resolve_input(options.input, columns, types, options.limit, **options.streaming)
    schema = read_schema(options.schema) if options.gate else None
    if schema is not None:
        source = with_schema_types(source, schema, types)
    log_inferred_columns("score", source)
    # A policy may judge a value by columns that are not kept: they are left out afterwards.
    keep = options.keep_columns or None
    model.check(source.schema, None if redaction else keep)
    rules, judge = gate_of(options, schema, source.schema)
    watch = watch_of(options, source, model.output_fields())
    gpu = Gpu.parse(options.gpu) if options.gpu else None
    needed = None if redaction else watch.kept(keep, source) if keep and watch else keep
    if redaction is not None:
        redaction = redaction.fitted(source)
    elif needed and not (rules or judge):
        source = source.select({*needed, *model.input_columns(source.schema)})
    ids = kept_columns(source, options.output)
    return Resolved(
        source,
        model,
        rules,
        judge,
        gpu,
        redaction,
        redaction and _with_outputs(redaction, source, model),
        watch,
        needed=_and(needed, ids),
        kept=_and(keep, ids),
    )


def _and(names: tuple[str, ...] | None, more: tuple[str, ...]) -> tuple[str, ...] | None:
    """Returns names and more of them; None, which stands for all, stays."""
    return names and tuple(dict.fromkeys((*names, *more)))


def _with_outputs(redaction: Redaction, source: "Input", model: "Model") -> Redaction:
    """Returns the redaction of scored rows. Fractions that a model computes are left."""
    import pyarrow as pa

    from transforms.arrow.lists import value_type

    outputs = model.output_fields()
    figures = [field.name for field in outputs if pa.types.is_floating(value_type(field.type))]
    return redaction.fitted(source, pa.schema([*source.schema, *outputs]), figures)


def build(root: "beam.Pipeline", resolved: Resolved, options: Options, run: Run) -> None:
    """Builds the whole pipeline."""
    from inference.score import Score
    from transforms.io.write import Write
    from transforms.row_checks.validate import Validate
    from transforms.select import Select

    dead_letters = run.dead_letters
    close_door(resolved.redaction, root, run)
    rows = read(root, resolved.source, options, run)
    if resolved.judge is not None:
        add_gate(rows, resolved.judge, options, run, resolved.redaction)
    if resolved.rules is not None:
        rows = rows | Validate(None, resolved.rules, dead_letters=dead_letters)
    scored = rows | Score(
        resolved.model,
        keep_columns=resolved.needed,
        gpu=for_step(resolved.gpu, run.setting),
        jit=options.jit,
        precision=options.precision,
        calls_ahead=options.calls_ahead,
        calls_beside=len(os.sched_getaffinity(0)) if run.setting.is_local else 1,
        dead_letters=dead_letters,
    )
    scored = redacted(scored, resolved.of_scored, dead_letters)
    if resolved.watch is not None:
        add_watch(scored, resolved.watch, options, run)
    if resolved.kept != resolved.needed and resolved.kept:
        scored = scored | Select((*resolved.kept, *resolved.added))
    added = resolved.added
    _ = scored | Write(
        options.output, run.commit, options.shards, dead_letters=dead_letters, in_sight=added
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
