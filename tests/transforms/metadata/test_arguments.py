"""Of the name of a file, where a message is wanted, the error says how the file is read."""

import pathlib

import pytest

from tests.support import batch_of
from transforms.errors import ConfigError
from transforms.metadata.protos import schema_pb2
from transforms.schema import (
    diff_schemas,
    infer_schema,
    update_schema,
    validate_slices,
    validate_statistics,
    write_metadata,
)
from transforms.statistics.collect import statistics_of

STATISTICS = statistics_of([batch_of(x=[1.0, 2.0])])
SCHEMA = infer_schema(STATISTICS)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda path: validate_statistics(STATISTICS, path), "schema"),
        (lambda path: validate_slices(STATISTICS, path), "schema"),
        (lambda path: update_schema(path, STATISTICS), "schema"),
        (lambda path: diff_schemas(path, SCHEMA), "old"),
        (lambda path: diff_schemas(SCHEMA, path), "new"),
        (lambda path: write_metadata(path, "other.pbtxt"), "schema"),
    ],
)
@pytest.mark.parametrize("path", ["schema.pbtxt", pathlib.Path("schema.pbtxt")])
def test_a_path_for_a_schema(call, argument, path):
    why = rf"^{argument} is a .*Schema, not the name of a file: read it with read_metadata\(uri\)"
    with pytest.raises(ConfigError, match=why):
        call(path)


@pytest.mark.parametrize(
    ("call", "before"),
    [
        (infer_schema, ""),
        (lambda path: validate_statistics(path, SCHEMA), ""),
        (lambda path: validate_slices(path, SCHEMA), ""),
        (lambda path: validate_slices(STATISTICS, SCHEMA, serving=path), ""),
        (lambda path: update_schema(SCHEMA, path), ""),
        (lambda path: validate_statistics(STATISTICS, SCHEMA, serving=path), "serving: "),
    ],
)
def test_a_path_for_statistics(call, before):
    why = rf"^{before}statistics is a .*List, not the name of a file: .* read_statistics\(uri\)"
    with pytest.raises(ConfigError, match=why):
        call("stats/")


def test_arguments_in_the_wrong_order():
    with pytest.raises(ConfigError, match=r"schema is a .*, not a .*DatasetFeatureStatisticsList"):
        validate_statistics(SCHEMA, STATISTICS)
    with pytest.raises(ConfigError, match=r"statistics is a .*, not a .*schema_pb2.Schema"):
        infer_schema(schema_pb2.Schema())
