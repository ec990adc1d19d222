import itertools

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, record_batches, run_on
from transforms.batches import row_sources, with_source
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_hash
from transforms.keys.partition import PartitionByKey, partition_by_key


@given(record_batches(), st.integers(1, 5))
def test_every_row_is_in_the_shard_of_its_key_and_in_order(batch, shards):
    columns = [f.name for f in batch.schema if not pa.types.is_nested(f.type)]
    numbered = batch.append_column("place", pa.array(np.arange(batch.num_rows)))
    parts = dict(partition_by_key(numbered, columns, shards))
    places = [part["place"].to_pylist() for part in parts.values()]
    assert sorted(itertools.chain(*places)) == list(range(batch.num_rows))
    for shard, part in parts.items():
        assert part["place"].to_pylist() == sorted(part["place"].to_pylist())
        assert part.schema.equals(numbered.schema)
        assert set((key_hash(part, columns) % shards).tolist()) <= {shard}


def test_rows_keep_their_sources():
    batch = with_source(batch_of(x=list(range(20))), "in.csv", 5, "line")
    for _, part in partition_by_key(batch, ["x"], 4):
        sources = row_sources(part, np.arange(part.num_rows)).to_pylist()
        assert sources == [f"in.csv#line={x + 5}" for x in part["x"].to_pylist()]


def test_an_empty_batch_tells_its_columns():
    ((shard, part),) = partition_by_key(batch_of(x=pa.array([], pa.int64())), ["x"], 4)
    assert (shard, part.num_rows, part.schema.names) == (0, 0, ["x"])


def test_the_verb_brings_keys_together():
    batches = [batch_of(x=[1, 2, 3]), batch_of(x=[3, 2, 9])]

    def group(rows):
        return rows | PartitionByKey(["x"], 5) | beam.GroupByKey() | beam.MapTuple(_values)

    found = run_on(batches, group)
    assert sorted(itertools.chain(*(values for _, values in found))) == [1, 2, 2, 3, 3, 9]
    for shard, values in found:
        hashes = key_hash(batch_of(x=values), ["x"])
        assert set((hashes % 5).tolist()) == {shard}


def _values(shard, batches):
    return shard, sorted(x for batch in batches for x in batch["x"].to_pylist())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": [], "shards": 2}, "columns is a list of the columns"),
        ({"columns": "id", "shards": 2}, "columns is a list of the columns"),
        ({"columns": ["a", "a"], "shards": 2}, "names one twice"),
        ({"columns": ["a"], "shards": 0}, "shards is 0, but at least 1"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        PartitionByKey(**settings)
