"""Where TFDV is known to be wrong, and where we chose to differ: docs/anomalies.md lists all."""

import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.transforms.schema.builders import kinds_of, schema_of, stats_of
from tests.transforms.schema.cases import INF, NAN, NL, language, x
from transforms.errors import ConfigError
from transforms.metadata.columns import Column
from transforms.metadata.datasets import dataset_of
from transforms.metadata.protos import schema_pb2
from transforms.schema import infer_schema, update_schema, validate_statistics


def found(body, data):
    return kinds_of(validate_statistics(data, schema_of(x(body))))


def test_at_least_so_many_distinct_values_and_no_more_than_any():
    assert found("type: BYTES unique_constraints { min: 1 }", stats_of(x=["a", "b", "c"])) == {}


def test_integers_are_exact():
    top = 2**63 - 1
    body = "type: INT int_domain {{ min: {} max: {} }}"
    data = stats_of(x=[-(2**63) + 1, top - 1])
    assert found(body.format(-(2**63) + 1, top - 1), data) == {}
    assert found(body.format(-(2**63) + 2, top - 2), data) == {
        "x": ["INT_TYPE_SMALL_INT", "INT_TYPE_BIG_INT"]
    }
    schema = schema_of(x(body.format(0, 1)))
    updated = update_schema(schema, data).feature[0].int_domain
    assert (updated.min, updated.max) == (-(2**63) + 1, top - 1)


def test_integers_of_statistics_that_are_not_exact():
    data = stats_of(x=[-(2**63), 2**63 - 1])
    del data.datasets[0].features[0].custom_stats[:]
    (column,) = dataset_of(data).columns.values()
    assert isinstance(column, Column)
    assert column.int_range == (-(2**63), 2**63 - 1)
    assert found("type: INT int_domain { min: -9223372036854775808 }", data) == {}


@pytest.mark.parametrize("value", [0.1, 0.7, 1e-40, 3.4e38, 1 / 3])
def test_a_float_bound_holds_data_of_32_and_of_64_bits(value):
    import numpy as np

    bound = f"float_domain {{ min: {value!r} max: {value!r} }}"
    written, kept = float(str(np.float32(value))), float(np.float32(value))
    for data in (written, kept):
        assert found(f"type: FLOAT {bound}", stats_of(x=[data])) == {}
    wide, narrow = max(written, kept), min(written, kept)
    assert found(f"type: FLOAT {bound}", stats_of(x=[float(np.nextafter(wide, INF))])) == {
        "x": ["FLOAT_TYPE_BIG_FLOAT"]
    }
    assert found(f"type: FLOAT {bound}", stats_of(x=[float(np.nextafter(narrow, -INF))])) == {
        "x": ["FLOAT_TYPE_SMALL_FLOAT"]
    }


def test_a_float_beyond_32_bits_widens_the_range_to_infinity():
    schema = schema_of(x("type: FLOAT float_domain { max: 1 disallow_inf: true }"))
    data = stats_of(x=[1e300])
    updated = update_schema(schema, data)
    assert updated.feature[0].float_domain.max == INF
    assert kinds_of(validate_statistics(data, updated)) == {}


def test_nothing_but_nan_has_no_range():
    assert found("type: FLOAT float_domain { min: 5 }", stats_of(x=[NAN, NAN])) == {}
    schema = infer_schema(stats_of(x=[NAN]), suggest_ranges=True)
    assert not schema.feature[0].HasField("annotation")


def test_domains_that_are_new_to_tfdv():
    for domain in ("time_of_day_domain", "audio_domain", "video_domain"):
        assert found(f"type: BYTES {domain} {{}}", stats_of(x=["a"])) == {}


def test_a_token_without_statistics_leaves_the_others():
    schema = schema_of(
        x(
            NL % "token_constraints { string_value: 'a' min_per_sequence: 2 } "
            "token_constraints { string_value: 'b' min_per_sequence: 2 }"
        )
    )
    data = language("token_statistics { string_token: 'b' per_sequence_min_frequency: 1 }")
    anomalies = validate_statistics(data, schema)
    assert kinds_of(anomalies) == {
        "x": ["STATS_NOT_AVAILABLE", "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES"]
    }
    constraints = update_schema(schema, data).feature[0].natural_language_domain.token_constraints
    assert [each.min_per_sequence for each in constraints] == [2, 1]


def test_a_live_sparse_feature_beside_a_deprecated_feature():
    schema = schema_of("sparse_feature { name: 'x' } " + x("type: INT lifecycle_stage: DEPRECATED"))
    data = stats_of(y=["a"])
    feature = data.datasets[0].features[0]
    feature.Clear()
    feature.path.step.append("x")
    feature.custom_stats.add(name="missing_value", num=3)
    assert kinds_of(validate_statistics(data, schema)) == {"x": ["SPARSE_FEATURE_MISSING_VALUE"]}
    schema.sparse_feature[0].lifecycle_stage = schema_pb2.DISABLED
    assert kinds_of(validate_statistics(data, schema)) == {}


def test_which_statistics_are_of_slices_only():
    slices = stats_of(x=[1])
    slices.datasets.add(name="b")
    with pytest.raises(ConfigError, match=r"^serving: the statistics are of slices only"):
        validate_statistics(stats_of(x=[1]), schema_of(""), serving=slices)


def test_the_layer_needs_neither_beam_nor_tensorflow():
    code = "import sys, transforms.schema; print({'apache_beam', 'tensorflow'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr


def test_an_environment_that_one_feature_asks_for_is_known():
    body = 'type: INT in_environment: "TODAY"'
    assert kinds_of(validate_statistics(stats_of(x=[1]), schema_of(x(body)), "TODAY")) == {}
