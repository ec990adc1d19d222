"""Validates data: python -m beam_jobs.validate --input in/ --schema s.pbtxt --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from beam_jobs.judging.judge import (
    checks_of,
    judge_of,
    read_code,
    read_schema,
    warn_of_swapped_reference,
    with_facts,
)
from beam_jobs.judging.slice_count import check_slices
from beam_jobs.launch import run
from beam_jobs.options.privacy import PolicyOptions
from beam_jobs.options.statistics import StatisticsSettings
from beam_jobs.options.validation import JudgedDataOptions
from beam_jobs.privacy.redaction import (
    Redaction,
    close_door,
    examples_of,
    redacted,
    redaction_of,
    text_types,
)
from beam_jobs.running.logs import say
from beam_jobs.running.run import Run
from beam_jobs.running.verdict import verdict

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.gate.judge import Judge
    from transforms.io.inputs import Input
    from transforms.statistics.options import StatisticsOptions

_OF_ROWS = (
    "vocabularies",
    "limit",
    "rules",
    "code",
    "slices",
    "weight",
    "sample_rate",
    "semantics",
    "correlations",
    "policy",
)


@dataclass(frozen=True, kw_only=True)
class Options(StatisticsSettings, JudgedDataOptions, PolicyOptions):
    """Makes the statistics of files, and reports their anomalies.

    Writes FeatureStats.pb, SchemaDiff.pb and schema.pbtxt, as TensorFlow Data Validation does, and
    report.html, and prints the anomalies. Exit code 3 says that one of them is an error.

    Examples:
      python -m beam_jobs.validate --input 'train/*.csv' --infer_schema --output train_stats/
      python -m beam_jobs.validate --input eval.csv --schema schema.pbtxt --output eval_stats/ \
--reference train_stats/
      python -m beam_jobs.validate --input day2/ --schema s.pbtxt --slices payment_type --output d2/
      python -m beam_jobs.validate --input trips.csv --policy policy.yaml --output out/
      python -m beam_jobs.validate --input trips.csv --rules rules.yaml --output out/
      python -m beam_jobs.validate --merge --input 'stats/2026-11-*/' --schema s.pbtxt --output nov/
    """


Resolved: TypeAlias = "tuple[Input | tuple[str, ...], Judge, Redaction | None]"


def resolve(options: Options) -> Resolved:
    """Reads the schema, the rules and the reference, and looks at the files."""
    from transforms.io.inputs import resolve_bounded
    from transforms.io.schema_types import nearly_numbers, with_schema_types
    from transforms.schema.infer.times import time_formats
    from transforms.statistics.options import StatisticsOptions
    from transforms.statistics.slices.text import parse_slices

    schema = read_schema(options.schema)
    if options.merge:
        return _resolve_merge(options, schema, StatisticsOptions(schema=schema))
    redaction = redaction_of(options.policy)
    types = text_types(redaction)
    source = resolve_bounded(options.input, types=types, limit=options.limit)
    if schema is not None:
        source = with_schema_types(source, schema, types)
    elif nearly := nearly_numbers(source):
        listed = ", ".join(f"{name} ({wrong:,})" for name, wrong in nearly.items())
        say(
            "validate",
            f"text, for a few of the first cells are no numbers: {listed}; a --schema "
            "that says FLOAT or INT makes these rows ones that can't be read",
        )
    statistics = StatisticsOptions(
        schema=schema,
        weight=options.weight,
        slices=parse_slices(options.slices or "", source.schema, read_code(options)),
        sample_rate=options.sample_rate,
        semantics=options.semantics,
        pairs=options.correlations,
        vocabularies={name: ",".join(uri) for name, uri in options.vocabularies},
    )
    statistics.check(source.schema)
    check_slices(source, statistics.slices, options.max_slices)
    checks = checks_of(options, schema, source.schema)
    judge = judge_of(options, schema, checks, statistics, options.input, options.infer_schema)
    warn_of_swapped_reference(options, judge, source.schema)
    judge = replace(judge, times=time_formats(source.schema))
    return source, judge, redaction and redaction.fitted(source)


def _resolve_merge(options: Options, schema: Any, statistics: "StatisticsOptions") -> Resolved:
    """Resolves a merge of statistics; refuses options that need rows."""
    from transforms.errors import ConfigError
    from transforms.files.uris import parse
    from transforms.gate.merge import find_states

    for name in _OF_ROWS:
        if getattr(options, name) not in (None, False, 1.0, ()):
            raise ConfigError(f"--{name} is about rows: --merge reads statistics, not rows")
    judge = judge_of(options, schema, None, statistics, options.input, options.infer_schema)
    places = find_states(options.input)
    own = [place for place in places if place.startswith(f"{parse(options.output).root}/")]
    if own:
        raise ConfigError(
            f"--input {options.input} matches {own[0]}, which --output replaces: name a place for "
            "it outside the folders to merge"
        )
    noun = "validation" if len(places) == 1 else "validations"
    say("validate", f"merges the statistics of {len(places):,} {noun}")
    return places, judge, None


def build(
    root: "beam.Pipeline",
    resolved: Resolved,
    options: Options,
    run: Run,
) -> None:
    """Builds the whole pipeline."""
    from transforms.gate.check import CheckData, JudgeStates, count_rows, store
    from transforms.io.read import Read

    source, judge, redaction = resolved
    judge = with_facts(judge, options, run, examples_of(redaction, root.options))
    output = run.whole.target(options.output)
    if isinstance(source, tuple):
        judged = root | JudgeStates(source, judge)
        count_rows(judged, run.whole, output)
        store(judged, run.whole, output)
        return
    close_door(redaction, root, run)
    rows = root | Read(source, dead_letters=run.dead_letters)
    kept = redacted(rows, redaction, run.dead_letters)
    unread = None if options.max_rejected_fraction is not None else run.dead_letters
    data = rows if redaction is None else (rows, kept)
    store(data | CheckData(judge, unread), run.whole, output)
    run.whole.published(kept, options.output)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv, verdict)


if __name__ == "__main__":
    sys.exit(main())
