"""The schema that an exported model carries: what its raw columns mean; no signature tells."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.signature.spec import Signature, TensorSpec
from transforms.files.filesystem import write_bytes
from transforms.preprocess.times import FORMATS, time_unit

RAW_SCHEMA = "assets.extra/schema.pbtxt"
"""Its place in a SavedModel: TensorFlow leaves this folder to others."""
_KINDS = {"string": "BYTES", "int64": "INT", "float32": "FLOAT"}


def write_raw_schema(folder: str, signature: Signature) -> None:
    """Writes the schema of the raw columns of a model beside it.

    Args:
      folder: The SavedModel, a local one.
      signature: Whose inputs are raw columns.
    """
    from google.protobuf import text_format

    made = _schema(signature)
    write_bytes(f"{folder}/{RAW_SCHEMA}", text_format.MessageToString(made).encode())


def _schema(signature: Signature) -> Any:
    from tensorflow_metadata.proto.v0 import schema_pb2

    formats = {unit: name for name, unit in FORMATS.items()}
    schema = schema_pb2.Schema()
    for spec in signature.inputs:
        kind = schema_pb2.FeatureType.Value(_KINDS[spec.dtype])
        feature = schema.feature.add(name=spec.name, type=kind)
        if spec.unit is not None:
            value = schema_pb2.TimeDomain.IntegerTimeFormat.Value(formats[spec.unit])
            feature.time_domain.integer_format = value
    return schema


def with_units(signature: Signature, path: str) -> Signature:
    """Returns a signature whose integers are times where the model's own schema says so.

    Args:
      signature: As the model has it.
      path: The SavedModel, a local one, with or without such a schema.
    """
    from transforms.schema.files import read_metadata

    place = Path(path) / RAW_SCHEMA
    if not place.is_file():
        return signature
    units = {each.name: time_unit(each) for each in read_metadata(str(place)).feature}

    def named(spec: TensorSpec) -> TensorSpec:
        return replace(spec, unit=units.get(spec.name)) if spec.dtype == "int64" else spec

    features = signature.features
    return replace(
        signature,
        inputs=tuple(map(named, signature.inputs)),
        features=None if features is None else tuple(map(named, features)),
    )
