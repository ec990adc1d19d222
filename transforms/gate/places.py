"""What a validation writes, and how it is read again."""

import os
from typing import TYPE_CHECKING

from transforms.errors import ConfigError
from transforms.files import filesystem

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

STATISTICS, STATE = "FeatureStats.pb", "FeatureStats.arrow"
SCHEMA, ANOMALIES, REPORT = "schema.pbtxt", "SchemaDiff.pb", "report.html"


def read_statistics(uri: str) -> "statistics_pb2.DatasetFeatureStatisticsList":
    """Reads statistics from a `FeatureStats.pb`, or the folder of a validation or a TFX split.

    Raises:
      ConfigError: There are none.
    """
    from google.protobuf.message import DecodeError
    from tensorflow_metadata.proto.v0 import statistics_pb2

    place = uri if uri.endswith(".pb") else f"{uri.rstrip('/')}/{STATISTICS}"
    if place != uri and filesystem.is_local(uri) and os.path.isfile(uri):
        raise ConfigError(f"{uri}: is no {STATISTICS}, nor the folder of one")
    try:
        statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(
            filesystem.read_bytes(place)
        )
    except OSError as error:
        raise ConfigError(f"{place}: can't be read: {error.strerror or error}") from None
    except DecodeError:
        raise ConfigError(f"{place}: these are no statistics of TFDV") from None
    if not statistics.datasets:
        raise ConfigError(f"{place}: these are no statistics of TFDV")
    return statistics


def read_anomalies(folder: str) -> "anomalies_pb2.Anomalies | None":
    """Returns the anomalies of a validation; None if nothing was judged."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    place = f"{folder.rstrip('/')}/{ANOMALIES}"
    if not filesystem.exists(place):
        return None
    return anomalies_pb2.Anomalies.FromString(filesystem.read_bytes(place))
