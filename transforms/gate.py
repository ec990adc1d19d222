"""What a validation writes: statistics, a schema, anomalies; and its verdict."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.io import files
from transforms.statistics import state
from transforms.statistics.dataset import Dataset, described
from transforms.statistics.options import StatisticsOptions

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

STATISTICS, STATE = "FeatureStats.pb", "FeatureStats.arrow"
SCHEMA, ANOMALIES, REPORT = "schema.pbtxt", "SchemaDiff.pb", "report.html"


@dataclass(frozen=True)
class Judge:
    """Makes the files of a validation of what is known of the rows.

    Attributes:
      options: What the statistics are made of.
      schema: What the data is to be; None where there is no schema.
      environment: That of the schema.
      infer_schema: Whether a schema is made of the statistics.
      reference: Statistics of other data, which the data is compared with.
      reference_kind: "span", the data of before, or "serving", that which a model is given.
      title: Of the report.
    """

    options: StatisticsOptions
    schema: "schema_pb2.Schema | None" = None
    environment: str | None = None
    infer_schema: bool = False
    reference: "statistics_pb2.DatasetFeatureStatisticsList | None" = None
    reference_kind: str = "span"
    title: str = "Validation"

    def __call__(self, slices: dict[str, Dataset]) -> list[tuple[str, bytes]]:
        """The files' names and contents, as TFX has them."""
        from transforms.reports import statistics_report
        from transforms.schema.text_fields import rendered

        statistics = described(slices, self.options)
        made = [(STATISTICS, statistics.SerializeToString()), (STATE, _stored(slices))]
        if self.infer_schema:
            made.append((SCHEMA, rendered(self._inferred(statistics)).encode()))
        anomalies = None
        if self.schema is not None:
            anomalies = self._anomalies(statistics, self.schema)
            made.append((ANOMALIES, anomalies.SerializeToString()))
        page = statistics_report(
            self.reference, statistics, anomalies, self.schema, title=self.title
        )
        return [*made, (REPORT, page.encode())]

    def _inferred(
        self, statistics: "statistics_pb2.DatasetFeatureStatisticsList"
    ) -> "schema_pb2.Schema":
        from transforms.schema import infer_schema

        return infer_schema(statistics)

    def _anomalies(
        self,
        statistics: "statistics_pb2.DatasetFeatureStatisticsList",
        schema: "schema_pb2.Schema",
    ) -> "anomalies_pb2.Anomalies":
        from transforms.schema import validate_statistics

        is_span = self.reference_kind == "span"
        return validate_statistics(
            statistics,
            schema,
            environment=self.environment,
            previous_span=self.reference if is_span else None,
            serving=None if is_span else self.reference,
        )


def _stored(slices: dict[str, Dataset]) -> bytes:
    batch = state.to_batch(slices)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, batch.schema, options=options) as stream:
        stream.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_statistics(uri: str) -> "statistics_pb2.DatasetFeatureStatisticsList":
    """Statistics from a `FeatureStats.pb`, or the folder of a validation or a TFX split.

    Raises:
      ConfigError: There are none.
    """
    from google.protobuf.message import DecodeError
    from tensorflow_metadata.proto.v0 import statistics_pb2

    place = uri if uri.endswith(".pb") else f"{uri.rstrip('/')}/{STATISTICS}"
    try:
        statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(files.read_bytes(place))
    except OSError as error:
        raise ConfigError(f"{place}: can't be read: {error.strerror or error}") from None
    except DecodeError:
        raise ConfigError(f"{place}: these are no statistics of TFDV") from None
    if not statistics.datasets:
        raise ConfigError(f"{place}: these are no statistics of TFDV")
    return statistics


def read_anomalies(folder: str) -> "anomalies_pb2.Anomalies | None":
    """The anomalies that a validation found; None where it had no schema."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    place = f"{folder.rstrip('/')}/{ANOMALIES}"
    if not files.exists(place):
        return None
    return anomalies_pb2.Anomalies.FromString(files.read_bytes(place))
