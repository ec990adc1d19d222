"""How many rows there are: by themselves, and against the span or version before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transforms.metadata.datasets import Dataset
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import ValidationContext
from transforms.words import amount, counted, number


@dataclass(frozen=True)
class DatasetAnomaly:
    """The number of rows and the schema disagree; `mend` changes the schema's constraints."""

    kind: str
    short: str
    text: str
    mend: Callable[[schema_pb2.DatasetConstraints], None]


def dataset_findings(
    schema: schema_pb2.Schema, data: ValidationContext
) -> Iterator[DatasetAnomaly]:
    """Reports numbers of rows outside the schema's bounds."""
    asked = schema.dataset_constraints
    yield from _compared(
        asked, "num_examples_drift_comparator", data.current, data.previous_span, "previous span"
    )
    yield from _compared(
        asked,
        "num_examples_version_comparator",
        data.current,
        data.previous_version,
        "previous version",
    )
    yield from _counted(asked, data.current.examples)


def _counted(asked: schema_pb2.DatasetConstraints, rows: float) -> Iterator[DatasetAnomaly]:
    if asked.HasField("min_examples_count") and rows < asked.min_examples_count:
        yield DatasetAnomaly(
            "DATASET_LOW_NUM_EXAMPLES",
            "Low num examples in dataset.",
            f"The data has {counted(rows, 'row')}; expected at least {asked.min_examples_count}.",
            lambda constraints: setattr(constraints, "min_examples_count", int(rows)),
        )
    if asked.HasField("max_examples_count") and rows > asked.max_examples_count:
        yield DatasetAnomaly(
            "DATASET_HIGH_NUM_EXAMPLES",
            "High num examples in dataset.",
            f"The data has {counted(rows, 'row')}; expected at most {asked.max_examples_count}.",
            lambda constraints: setattr(constraints, "max_examples_count", -int(-rows // 1)),
        )


def _compared(
    asked: schema_pb2.DatasetConstraints,
    field: str,
    current: Dataset,
    control: Dataset | None,
    name: str,
) -> Iterator[DatasetAnomaly]:
    if control is None or not asked.HasField(field):
        return
    comparator = getattr(asked, field)
    if control.examples == 0:
        if comparator.HasField("max_fraction_threshold"):
            yield DatasetAnomaly(
                "COMPARATOR_HIGH_NUM_EXAMPLES",
                f"High num examples in current dataset versus the {name}, which has 0.",
                f"The {name} has no rows; the current data has {amount(current.examples)}.",
                lambda asked: getattr(asked, field).ClearField("max_fraction_threshold"),
            )
        return
    ratio = current.examples / control.examples
    for side, bound, word in (("HIGH", "max", "most"), ("LOW", "min", "least")):
        threshold_field = f"{bound}_fraction_threshold"
        threshold = getattr(comparator, threshold_field)
        outside = ratio > threshold if side == "HIGH" else ratio < threshold
        if comparator.HasField(threshold_field) and outside:
            yield DatasetAnomaly(
                f"COMPARATOR_{side}_NUM_EXAMPLES",
                f"{side.title()} num examples in current dataset versus the {name}.",
                f"The current data has {number(ratio)} times the rows of the {name}; expected "
                f"at {word} {number(threshold)}.",
                _accept(field, threshold_field, ratio),
            )


def _accept(
    field: str, threshold: str, ratio: float
) -> Callable[[schema_pb2.DatasetConstraints], None]:
    def mend(constraints: schema_pb2.DatasetConstraints) -> None:
        setattr(getattr(constraints, field), threshold, ratio)

    return mend
