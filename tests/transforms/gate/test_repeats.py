"""CountRepeats: as many as the rows have more than different keys."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms.errors import ConfigError
from transforms.gate.repeats import CountRepeats


@pytest.mark.parametrize("shards", [1, 32])
def test_counts_rows_with_a_key_that_another_has(shards):
    random = np.random.default_rng(0)
    keys = random.integers(0, 500, 2000)
    names = np.array(["a", "b", None], object)[random.integers(0, 3, 2000)]
    pairs = {pair for pair in zip(keys.tolist(), names, strict=True) if pair[1] is not None}
    expected = int(sum(name is not None for name in names)) - len(pairs)
    table = pa.table({"id": keys, "name": pa.array(names, pa.string()), "other": keys})
    with beam.Pipeline() as root:
        rows = root | beam.Create(table.to_batches(max_chunksize=300), reshuffle=False)
        assert_that(rows | CountRepeats(("id", "name"), shards), equal_to([expected]))


def test_of_no_rows_there_are_none():
    with beam.Pipeline() as root:
        rows = root | beam.Create([pa.RecordBatch.from_pydict({"id": pa.array([], pa.int64())})])
        assert_that(rows | CountRepeats(("id",)), equal_to([0]))


def test_a_key_needs_columns():
    with pytest.raises(ConfigError, match="CountRepeats: columns is a list"):
        CountRepeats(())
