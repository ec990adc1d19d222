"""Judge: the files of a validation, made from the state of the rows; and its verdict."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from transforms.coders import register_pickled_coder
from transforms.gate.faults import Faults, FaultyRows, Redact
from transforms.gate.places import ANOMALIES, REPORT, SCHEMA, STATE, STATISTICS
from transforms.gate.rule_anomalies import rule_anomalies, rule_keys, unread_rows
from transforms.row_checks.checks import Checks
from transforms.rules.column_rules import Verdict
from transforms.rules.files import NO_RULES, Rules
from transforms.statistics import state
from transforms.statistics.collect import WHOLE
from transforms.statistics.dataset import described
from transforms.statistics.generate import Slices
from transforms.statistics.options import StatisticsOptions

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

    from transforms.commit.ledger import Finding
    from transforms.reports import Example

    Examples = Mapping[str, pa.RecordBatch | Example]

_NOTE = (
    "Of example rows, values that are not at fault are shown by their form: 9 stands for a digit, "
    "a and A for letters."
)


@register_pickled_coder
@dataclass(frozen=True)
class Judgement:
    """The result of a validation.

    Attributes:
      files: The names and contents of what it writes.
      findings: The anomalies of the data, without values of rows.
      rows: How many rows were judged.
    """

    files: tuple[tuple[str, bytes], ...]
    findings: "tuple[Finding, ...]"
    rows: int

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return sum(len(content) for _, content in self.files)


@dataclass(frozen=True)
class Judge:
    """Makes the files of a validation from the statistics and faults of the rows.

    Attributes:
      options: How the statistics are made.
      schema: The schema that the data should meet; None without a schema.
      schema_text: The text of the schema's file, if it is known.
      checks: The checks of each row; None without checks.
      environment: The schema's environment.
      infer_schema: Whether to make a schema that the data meets, from the given one or anew.
      times: Columns of a new schema that are points in time, with their integer formats.
      reference: Statistics of other data to compare with.
      reference_kind: "span" for earlier data, or "serving" for the data that a model is given.
      examples: How rows at fault are shown, one of `faults.SHOWS`.
      title: The title of the report.
      severities: "ERROR" or "WARNING" by kind of anomaly; kinds not named are errors.
      about: Facts about the run for the report, each with its name.
      redact: Redacts example rows.
    """

    options: StatisticsOptions = field(default_factory=StatisticsOptions)
    schema: "schema_pb2.Schema | None" = None
    checks: Checks | None = None
    environment: str | None = None
    infer_schema: bool = False
    reference: "statistics_pb2.DatasetFeatureStatisticsList | None" = None
    reference_kind: str = "span"
    examples: str = "masked"
    title: str = "Validation"
    schema_text: str = ""
    severities: Mapping[str, str] = field(default_factory=dict)
    about: tuple[tuple[str, str], ...] = ()
    redact: Redact | None = None
    times: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self,
        slices: Slices,
        faults: Faults | None = None,
        verdicts: Iterable[Verdict] = (),
        repeats: Mapping[str, int] | None = None,
        unread: int = 0,
    ) -> Judgement:
        """Returns the judgement on the data.

        Args:
          slices: What its statistics are made of.
          faults: What its rows violate.
          verdicts: How rules about columns came out.
          repeats: For each rule about keys, how many rows have the key of another.
          unread: How many rows could not be read.
        """
        files, found = self._files_and_findings(
            slices, faults or Faults(), verdicts, repeats or {}, unread
        )
        # Of thousands of columns the statistics are large: they are gone when the state is made.
        return Judgement((*files, (STATE, _stored(slices))), found, slices[WHOLE].rows)

    def _files_and_findings(
        self,
        slices: Slices,
        faults: Faults,
        verdicts: Iterable[Verdict],
        repeats: Mapping[str, int],
        unread: int,
    ) -> "tuple[list[tuple[str, bytes]], tuple[Finding, ...]]":
        """Returns the files about the data, and its anomalies."""
        from transforms.reports import statistics_report

        statistics = described(slices, self.options)
        made = [(STATISTICS, statistics.SerializeToString(deterministic=True))]
        if self.infer_schema:
            made.append((SCHEMA, self._inferred(statistics).encode()))
        anomalies, keys = None, dict[str, str]()
        rules = self.checks.rules if self.checks else NO_RULES
        if self.schema is not None or self.checks is not None:
            anomalies = self._anomalies(statistics)
            keys = rule_keys(rules.names, anomalies.anomaly_info)
            broken = rule_anomalies(faults, verdicts, repeats, keys, rules.warnings)
            for key, info in [*broken, *unread_rows(unread)]:
                anomalies.anomaly_info[key].CopyFrom(info)
            made.append((ANOMALIES, anomalies.SerializeToString(deterministic=True)))
        by_slice = self._of_slices(statistics, anomalies)
        page = statistics_report(
            self.reference,
            statistics,
            anomalies,
            self.schema,
            title=self.title,
            examples=_examples(faults, rules, keys),
            examples_note=_NOTE if self.examples == "masked" else None,
            slices=by_slice,
            about=self.about,
        )
        made.append((REPORT, page.encode()))
        return made, _findings(anomalies, by_slice)

    @property
    def _beside(self) -> dict[str, Any]:
        """What is known beside the schema."""
        is_span = self.reference_kind == "span"
        return {
            "environment": self.environment,
            "previous_span": self.reference if is_span else None,
            "serving": None if is_span else self.reference,
        }

    def _of_slices(
        self,
        statistics: "statistics_pb2.DatasetFeatureStatisticsList",
        whole: "anomalies_pb2.Anomalies | None",
    ) -> "dict[str, anomalies_pb2.Anomalies] | None":
        """Returns the anomalies of slices, for the report only: few rows differ by chance."""
        from transforms.schema import validate_slices

        if self.schema is None or len(statistics.datasets) == 1:
            return None
        return validate_slices(
            statistics, self.schema, **self._beside, severities=self.severities, whole=whole
        )

    def _inferred(self, statistics: "statistics_pb2.DatasetFeatureStatisticsList") -> str:
        """Returns the text of an inferred schema, or of the given one with few changes."""
        from transforms.schema import infer_schema, update_schema
        from transforms.schema.files import edited_schema
        from transforms.schema.text.fields import rendered

        if self.schema is None:
            return rendered(infer_schema(statistics, times=self.times))
        schema = update_schema(self.schema, statistics, **self._beside)
        return edited_schema(self.schema_text, schema) if self.schema_text else rendered(schema)

    def _anomalies(
        self, statistics: "statistics_pb2.DatasetFeatureStatisticsList"
    ) -> "anomalies_pb2.Anomalies":
        from tensorflow_metadata.proto.v0 import anomalies_pb2

        from transforms.schema import validate_statistics

        if self.schema is None:
            rows = statistics.datasets[0].num_examples
            return anomalies_pb2.Anomalies(data_missing=rows == 0)
        return validate_statistics(
            statistics, self.schema, **self._beside, severities=self.severities
        )


def _examples(faults: Faults, rules: Rules, keys: Mapping[str, str]) -> "Examples":
    """Returns rows at fault, by the keys of anomalies; for a rule, the columns that it names."""
    from transforms.reports import Example

    found: dict[str, pa.RecordBatch | Example] = {}
    for key, fault in faults.features.items():
        if fault.examples:
            found[key] = _joined(fault)
    by_name = {rule.name: rule for rule in rules.row}
    for name, fault in faults.rules.items():
        if fault.examples:
            columns = tuple(getattr(by_name[name], "columns", ()))
            found[keys[name]] = Example(_joined(fault), columns)
    return found


def _joined(fault: FaultyRows) -> pa.RecordBatch:
    (rows,) = pa.Table.from_batches(fault.examples).combine_chunks().to_batches()
    return rows


def _findings(
    anomalies: "anomalies_pb2.Anomalies | None",
    slices: "Mapping[str, anomalies_pb2.Anomalies] | None",
) -> "tuple[Finding, ...]":
    from transforms.commit.ledger import Finding
    from transforms.gate.findings import findings
    from transforms.schema.slices import slices_with_errors

    if anomalies is None:
        return ()
    number = slices_with_errors(slices or {})
    verb = "has errors" if number == 1 else "have errors"
    why = f"{verb} that all rows have not, or have drifted: see {REPORT}"
    of_slices = [Finding("SLICE", f"({number:,} of {len(slices or {}):,} slices)", why)]
    return (*findings(anomalies), *(of_slices if number else ()))


def _stored(slices: Slices) -> bytes:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, state.SCHEMA, options=options) as stream:
        for batch in state.to_batches(slices):
            stream.write_batch(batch)
    return sink.getvalue()
