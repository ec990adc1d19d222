"""By what a job judges data: the schema, rules and reference that its options name."""

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from beam_jobs.options.command_line import job_of
from beam_jobs.options.validation import ValidationOptions
from beam_jobs.privacy.redaction import Redaction, check_reference, examples_of, redacted
from beam_jobs.running.logs import say
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.gate.judge import Judge
    from transforms.row_checks.checks import Checks
    from transforms.rules.files import Rules
    from transforms.statistics.options import StatisticsOptions
    from transforms.user_code import Code


def read_schema(uri: str | None) -> Any:
    """Reads a tensorflow-metadata `Schema`; None if the option is not given.

    Raises:
      ConfigError: It isn't there, or is none.
    """
    from transforms.schema import read_metadata

    return read_metadata(uri) if uri else None


def read_code(options: ValidationOptions) -> "Code | None":
    """Reads the user's functions; None if the option is not given.

    Raises:
      ConfigError: The file can't be read or run.
    """
    from transforms.user_code import Code

    return Code.read(options.code) if options.code else None


def checks_of(options: ValidationOptions, schema: Any, columns: "pa.Schema") -> "Checks | None":
    """Returns the checks of rows by schema and rules; None if there is neither.

    Args:
      options: The job's.
      schema: A `Schema`, or None.
      columns: Those of the data: rules may name them.

    Raises:
      ConfigError: The schema contradicts itself, or a rule is wrong.
    """
    from transforms.row_checks.checks import Checks
    from transforms.rules.files import read_rules
    from transforms.rules.kinds import joined_kinds, kinds_of_columns

    if options.code and not (options.rules or getattr(options, "slices", None)):
        raise ConfigError("--code defines functions that nothing names")
    if schema is None and not options.rules:
        return None
    checks = Checks.of(schema, environment=options.environment)
    if not options.rules:
        return checks
    kinds = joined_kinds(kinds_of_columns(columns), checks.kinds)
    return checks.with_rules(read_rules(options.rules, kinds, read_code(options)))


def judge_of(
    options: ValidationOptions,
    schema: Any,
    checks: "Checks | None",
    statistics: "StatisticsOptions",
    title: str,
    infer_schema: bool = False,
) -> "Judge":
    """Returns the judge of the data.

    Raises:
      ConfigError: An option needs a schema, names none of its environments, or the reference can't
        be read.
    """
    from transforms.gate.judge import Judge
    from transforms.gate.places import read_statistics
    from transforms.schema.environments import check_environment

    for name in ("reference", "environment", "warn_only"):
        if schema is None and getattr(options, name):
            raise ConfigError(f"--{name} needs --schema: without one nothing is judged by it")
    check_reference(options)
    if schema is not None:
        check_environment(schema, options.environment)
        _warn_without_comparators(options, schema)
    return Judge(
        statistics,
        schema=schema,
        checks=checks,
        environment=options.environment,
        infer_schema=infer_schema,
        reference=read_statistics(options.reference) if options.reference else None,
        reference_kind=options.reference_kind,
        examples=options.examples,
        title=title,
        schema_text=schema_text(options) if infer_schema else "",
        severities=_severities(options),
    )


def _severities(options: ValidationOptions) -> dict[str, str]:
    """Returns the severities of kinds of anomalies that are not errors."""
    from transforms.schema.validate import checked_severities

    found = dict.fromkeys(options.warn_only, "WARNING")
    try:
        checked_severities(found)
    except ConfigError as error:
        raise ConfigError(f"--warn_only: {error}") from None
    return found


def schema_text(options: Any) -> str:
    """Returns the text of the schema's file, whose comments a changed schema keeps."""
    from transforms.files.filesystem import read_bytes

    return read_bytes(options.schema).decode() if options.schema else ""


def _warn_without_comparators(options: ValidationOptions, schema: Any) -> None:
    """Warns that a reference is of no use if the schema has no comparators."""
    names = ("drift_comparator", "skew_comparator")
    name, other = names if options.reference_kind == "span" else names[::-1]
    of_rows = schema.dataset_constraints.HasField("num_examples_drift_comparator")
    of_rows = of_rows and options.reference_kind == "span"
    if not options.reference or of_rows or any(each.HasField(name) for each in schema.feature):
        return
    others = sum(each.HasField(other) for each in schema.feature)
    kind = "serving" if options.reference_kind == "span" else "span"
    features = "1 has" if others == 1 else f"{others:,} have"
    way_out = (
        f"{features} a {other}, for --reference_kind {kind}: is it that?"
        if others
        else "docs/validation.md shows how to write one"
    )
    say(
        job_of(type(options)),
        f"no feature of the schema has a {name}: of --reference nothing is compared but in the "
        f"report; {way_out}",
    )


def warn_of_swapped_reference(options: Any, judge: "Judge", columns: "pa.Schema") -> None:
    """Warns that input and serving data seem to be swapped.

    A schema leaves labels out of an environment, mostly of SERVING. So the reference is not
    what a model is given where it has such a column and the input has none.

    Args:
      options: The job's.
      judge: By what the input is judged.
      columns: Those of the input.
    """
    from transforms.metadata.datasets import dataset_of

    if options.reference_kind != "serving" or judge.schema is None or judge.reference is None:
        return
    there = dataset_of(judge.reference).columns
    labels = [
        each.name
        for each in judge.schema.feature
        if each.not_in_environment and (each.name,) in there and each.name not in columns.names
    ]
    if labels:
        say(
            job_of(type(options)),
            f"--reference has column {labels[0]!r}, which the schema leaves out of "
            f"{_environments(judge.schema, labels[0])}, and --input has not: with "
            "--reference_kind serving the input is what a model was trained with, and the "
            "reference what it is given. They seem to be the wrong way round",
        )


def _environments(schema: Any, name: str) -> str:
    feature = next(each for each in schema.feature if each.name == name)
    return " and ".join(feature.not_in_environment)


def gate_of(options: Any, schema: Any, columns: "pa.Schema") -> "tuple[Rules | None, Judge | None]":
    """Returns the gate of a job: rules about rows and keys, and a judge of all rows.

    Rows that break a rule are rejected one by one; so the judge has only the rules about columns,
    and those that warn.

    Args:
      options: The job's, with `schema` and `gate`.
      schema: The `Schema` that the gate goes by; None without a gate, for the job's schema may then
        be a kind of schema that has types only.
      columns: Those of the data.

    Raises:
      ConfigError: A schema or rule is wrong, or an option does nothing without another.
    """
    from transforms.statistics.options import StatisticsOptions

    _check_gate(options)
    checks = checks_of(options, schema, columns)
    if checks is None:
        return None, None
    rejecting = checks.rules.rejecting if checks.rules.rejecting.names else None
    checks = checks.with_rules(checks.rules.judging)
    if not options.gate:
        _check_rejecting(checks.rules)
        return rejecting, None
    statistics = StatisticsOptions(schema=schema)
    judge = judge_of(options, schema, checks, statistics, options.input)
    warn_of_swapped_reference(options, judge, columns)
    return rejecting, judge


def _check_gate(options: Any) -> None:
    if options.gate and not (options.schema or options.rules):
        raise ConfigError("--gate needs --schema or --rules: by what is the data judged?")
    for name in ("environment", "reference", "reference_kind", "examples", "warn_only"):
        default = getattr(ValidationOptions, name)
        if not options.gate and getattr(options, name) != default:
            raise ConfigError(f"--{name} is for --gate: without it nothing is judged")


def _check_rejecting(left: "Rules") -> None:
    """Refuses rules by which no row is rejected, where nothing else is done by them."""
    if left.names:
        why = "is about a whole column" if left.column else "only warns"
        name = (left.column or left.row or left.unique)[0].name
        raise ConfigError(f"--rules: {name!r} {why}: it needs --gate")


def with_facts(judge: "Judge", options: Any, run: "Run", redact: Any = None) -> "Judge":
    """Returns the judge with facts for its report: the run, and what the data is judged by.

    Args:
      judge: The judge.
      options: The job's.
      run: The run.
      redact: Redacts example rows.
    """
    now = datetime.datetime.now(datetime.UTC)
    of_reference = "data of before" if options.reference_kind == "span" else "serving data"
    facts = {
        "Run": run.run_id,
        "Made": f"{now:%Y-%m-%d %H:%M} UTC",
        "Input": options.input,
        "Schema": options.schema,
        "Environment": options.environment,
        "Baseline": options.reference and f"{options.reference} ({of_reference})",
        "Rules": options.rules,
        "Redacted by": options.policy,
    }
    head = tuple((name, str(value)) for name, value in facts.items() if value)
    return dataclasses.replace(judge, about=head, redact=redact)


def add_gate(
    rows: "Batches", judge: "Judge", options: Any, run: "Run", redaction: Redaction | None = None
) -> None:
    """Adds a judge of all rows beside a job's work; if it finds errors, nothing is published.

    With a policy the statistics are those of redacted rows. What can't be redacted is rejected
    by the job itself, and not told twice.
    """
    from transforms.commit.dead_letters import Unrecorded
    from transforms.gate.check import CheckData, store

    judge = with_facts(judge, options, run, examples_of(redaction, rows.pipeline.options))
    data: Any = rows
    if redaction is not None:
        data = rows, redacted(rows, redaction, Unrecorded(), "Evidence")
    judged = data | "Gate" >> CheckData(judge)
    assert run.findings is not None, "a job with a gate has an output"
    store(judged, run.whole, run.whole.target(run.findings, evidence=True))
