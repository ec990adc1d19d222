"""tensorflow-metadata's messages: the one module of the package that imports them."""

from google.protobuf import text_format as text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2 as anomalies_pb2
from tensorflow_metadata.proto.v0 import schema_pb2 as schema_pb2
from tensorflow_metadata.proto.v0 import statistics_pb2 as statistics_pb2
