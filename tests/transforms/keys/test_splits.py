"""Splits: stable, complete, and by key."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from tests.support import batch_of, record_batches, run_on
from transforms.errors import ConfigError
from transforms.keys.splits import SplitRows, Splits, split_rows

BATCH = batch_of(ride=np.arange(3000) // 3, x=np.arange(3000.0))


@given(record_batches())
def test_each_row_is_in_one_part(batch):
    splits = Splits.parse("train:2,eval:1")
    masks = splits.masks(batch)
    assert (np.sum(list(masks.values()), axis=0) == 1).all()
    parts = dict(split_rows(batch, splits))
    assert [part.num_rows for part in parts.values()] == [mask.sum() for mask in masks.values()]


def test_sizes_order_and_the_same_rows_in_each_release():
    splits = Splits.parse("train:2,eval:1", ["ride"])
    train, evaluation = (part for _, part in split_rows(BATCH, splits))
    assert (train.num_rows, evaluation.num_rows) == (2055, 945)
    assert train["ride"].to_pylist()[:7] == [0, 0, 0, 1, 1, 1, 2]
    assert not set(train["ride"].to_pylist()) & set(evaluation["ride"].to_pylist())


def test_rows_by_row_are_as_by_batch():
    splits = Splits.parse("a,b,c")
    whole = splits.masks(BATCH)["b"][:50]
    assert [splits.masks(BATCH.slice(at, 1))["b"][0] for at in range(50)] == whole.tolist()


def test_verb():
    splits = Splits.parse("train:2,eval:1", ["ride"])
    found = run_on([BATCH], lambda rows: (rows | SplitRows(splits))["eval"])
    assert pa.Table.from_batches(found).equals(
        pa.Table.from_batches([dict(split_rows(BATCH, splits))["eval"]])
    )


@pytest.mark.parametrize("text", ["", "train:0", "train:x", "../up:1", "a b"])
def test_what_is_no_split(text):
    with pytest.raises(ConfigError, match=r"--splits: .* is no name with a number"):
        Splits.parse(text)


def test_named_twice():
    with pytest.raises(ConfigError, match="names a split twice"):
        Splits.parse("a,b,a:2")


def test_key_that_is_not_there_or_none():
    with pytest.raises(ConfigError, match=r"--split_key rid: .* did you mean 'ride'"):
        Splits.parse("a,b", ["rid"]).check(BATCH.schema)
    schema = pa.schema([("l", pa.list_(pa.int64()))])
    with pytest.raises(ConfigError, match="--split_key l: a key is made of numbers"):
        Splits.parse("a,b", ["l"]).check(schema)
