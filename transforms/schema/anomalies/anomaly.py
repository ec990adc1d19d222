"""What a rule finds, and the change of the schema that would accept it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from transforms.metadata.columns import Column
from transforms.metadata.datasets import Dataset
from transforms.metadata.paths import Path
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.measured import Measured


@dataclass
class Draft:
    """A feature that rules look at, and that the mends of what they find change.

    Attributes:
      feature: Of the schema, or a copy.
      domain: The shared string domain that it names, or a copy; None if it names none.
      measured: What its comparators asked for.
      missing: The same of the shares of rows without it.
    """

    feature: schema_pb2.Feature
    domain: schema_pb2.StringDomain | None = None
    measured: list[Measured] = field(default_factory=list)
    missing: list[Measured] = field(default_factory=list)


Mend = Callable[[Draft], None]


@dataclass(frozen=True)
class Anomaly:
    """Data and schema disagree.

    Attributes:
      kind: The name of an `AnomalyInfo.Type`.
      short: A few words, the same for all findings of the kind, as TFDV has them.
      text: One sentence; of values it names a handful.
      mend: The smallest change of the feature after which this is not found; None of a feature
        that the schema lacks.
    """

    kind: str
    short: str
    text: str
    mend: Mend | None


@dataclass(frozen=True)
class Control:
    """What a column is compared with.

    Attributes:
      name: `previous` or `serving`.
      current: What the column's own data are called beside it.
      column: The same column there, or None.
    """

    name: str
    current: str
    column: Column | None


@dataclass(frozen=True)
class ColumnContext:
    """A column of the data, with the context in which rules look at it.

    Attributes:
      column: Its statistics.
      environment: Of the data; None is any.
      defaults: The schema's default environments.
      domains: Names of the schema's shared string domains.
      previous: The span before, if there is one to compare with.
      serving: The serving data, if there are some to compare with.
    """

    column: Column
    environment: str | None = None
    defaults: Collection[str] = ()
    domains: Collection[str] = ()
    previous: Control | None = None
    serving: Control | None = None


Check = Callable[[Draft, ColumnContext], Iterator[Anomaly]]


@dataclass(frozen=True)
class Rule:
    """One check, and the kinds of findings that it can make."""

    check: Check
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ValidationContext:
    """The data sets of one validation.

    Attributes:
      current: The data that is validated.
      environment: Of the data; None is any.
      previous_span: Of the time before.
      previous_version: Of the same time, from the version before.
      serving: From where the model is used.
    """

    current: Dataset
    environment: str | None = None
    previous_span: Dataset | None = None
    previous_version: Dataset | None = None
    serving: Dataset | None = None

    def context_of(
        self, column: Column, defaults: Collection[str], domains: Collection[str]
    ) -> ColumnContext:
        """Returns the context in which the rules look at a column of the current data."""
        return ColumnContext(
            column,
            self.environment,
            defaults,
            domains,
            _control("previous", "current", self.previous_span, column.path),
            _control("serving", "training", self.serving, column.path),
        )


def _control(name: str, current: str, data: Dataset | None, path: Path) -> Control | None:
    return None if data is None else Control(name, current, data.columns.get(path))
