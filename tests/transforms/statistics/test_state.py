"""State: it comes back as it was; one that is broken is told, whatever is wrong with it."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from transforms.errors import ConfigError
from transforms.statistics import state
from transforms.statistics.collect import Collector
from transforms.statistics.dataset import WHOLE, described, merged
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy

DESCRIBED = """
feature { name: "i" type: INT } feature { name: "x" type: FLOAT } feature { name: "l" type: INT }
feature { name: "words" type: BYTES natural_language_domain {
    coverage { min_coverage: 0.5 } token_constraints { string_value: "cat" } } }
sparse_feature { name: "sparse" value_feature { name: "l" } index_feature { name: "x" } }
weighted_feature { name: "weighed" feature { step: "l" } weight_feature { step: "x" } }
"""
SCHEMA = text_format.Parse(DESCRIBED, schema_pb2.Schema())
OPTIONS = StatisticsOptions(
    schema=SCHEMA, weight="w", slices=(SliceBy(("s",)),), pairs=True, semantics=True
)


def rows(number):
    """Rows of every kind of column."""
    random, some = np.random.default_rng(7), [None, 1.5, np.nan, np.inf, 0.0]
    counts = range(number)
    return pa.record_batch(
        {
            "i": pa.array(random.integers(-(2**62), 2**62, number)),
            "x": pa.array([some[each % 5] for each in counts]),
            "s": pa.array([None if each % 7 == 0 else f"v{each % 2}" for each in counts]),
            "many": pa.array([f"text number {each}" for each in counts]),
            "b": pa.array([b"\xff" + bytes([each % 256]) for each in counts]),
            "l": pa.array([None if each % 3 else [each, 0] for each in counts]),
            "deep": pa.array([[[1.5], [], None], None, []] * number).slice(0, number),
            "r": pa.array([{"a": each, "b": {"c": [str(each)]}} for each in counts]),
            "words": pa.array([["the", "cat"][: each % 3] for each in counts]),
            "empty": pa.nulls(number),
            "w": pa.array([each / 2 for each in counts]),
        }
    )


def collected(number, options=OPTIONS):
    collector = Collector(options)
    collector.add(rows(number))
    return collector.slices()


def entries_of(slices):
    return [each for batch in state.to_batches(slices) for each in batch.to_pylist()]


def batch_of_entries(entries):
    """A state of entries that may be wrong, as one who wants to harm would write it."""
    tuples = [tuple(each.values()) for each in entries if each["kind"] != "seal"]
    names = state.SCHEMA.names
    told = [dict(zip(names, each, strict=True)) for each in state.sealed(tuples)]
    return pa.RecordBatch.from_pylist(told, state.SCHEMA)


def used(batch):
    """What becomes of a state that is merged and described."""
    parts = [state.from_batches([batch]), collected(5)]
    return described(merged(parts), OPTIONS).SerializeToString()


def is_fine_or_told(batch):
    """Whether a state may be used, or a ConfigError says why not."""
    with np.errstate(all="ignore"):
        try:
            return bool(used(batch))
        except ConfigError as error:
            return str(error)


@pytest.mark.parametrize("number", [0, 1, 6000])
@pytest.mark.parametrize("most", [state._BATCH_BYTES, 1000])
def test_a_state_comes_back_as_it_was(number, most, monkeypatch):
    monkeypatch.setattr(state, "_BATCH_BYTES", most)
    slices = collected(number)
    batches = list(state.to_batches(slices))
    again = state.from_batches(batches)
    assert again.keys() == slices.keys()
    assert list(state.to_batches(again)) == batches
    assert number == 0 or (len(batches) > 1) == (most == 1000)
    assert described(again, OPTIONS) == described(slices, OPTIONS)


SMALL = entries_of(collected(12))[:-1]
STREAM = pa.BufferOutputStream()
with pa.ipc.new_file(STREAM, state.SCHEMA) as _file:
    _file.write_batch(batch_of_entries(SMALL))
BYTES = STREAM.getvalue().to_pybytes()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.integers(0, 255)), min_size=1))
def test_bytes_that_changed_are_found_or_do_no_harm(changes):
    changed = bytearray(BYTES)
    for place, value in changes:
        changed[place] = value
    try:
        with pa.ipc.open_file(bytes(changed)) as reader:
            batch = reader.get_batch(0)
    except (pa.ArrowException, OSError):
        return
    assert is_fine_or_told(batch)


@pytest.mark.parametrize("change", ["missing", "swapped", "twice", "another"])
@pytest.mark.parametrize("place", range(5))
def test_all_batches_must_be_there_in_their_order(monkeypatch, change, place):
    monkeypatch.setattr(state, "_BATCH_BYTES", 10_000)
    collector = Collector(StatisticsOptions())
    columns = {f"c{each}": [f"{each}-{row}" for row in range(300)] for each in range(20)}
    collector.add(pa.record_batch(columns))
    batches = list(state.to_batches(collector.slices()))
    assert len(batches) > 6
    if change == "missing":
        del batches[place]
    elif change == "swapped":
        batches[place : place + 2] = reversed(batches[place : place + 2])
    elif change == "twice":
        batches.insert(place, batches[place])
    else:
        entries = batches[place].to_pylist()
        entry = next(each for each in entries if each["content"].startswith(b"1"))
        entry["content"] = b"2" + entry["content"][1:]
        batches[place] = pa.RecordBatch.from_pylist(entries, state.SCHEMA)
    with pytest.raises(ConfigError, match="is broken"):
        state.from_batches(batches)


CONTENTS = [b"", b"null", b"-1", b"1", b"1.5", b"1e999", b"NaN", b"true", b'"a"', b"9" * 5000]
CONTENTS += [b'"\\ud800"', b"[" * 100_000, b"\xff", bytes(8), bytes(16), b"\xff" * 8, b"\x7f" * 8]
KINDS = sorted({each["kind"].partition("[")[0] for each in SMALL})
KINDS += ["", "|O[1]", "|V0[1]", "<i8[-1]", "<i8[1]", "<f8[1]", "<f8[2]", "<U2[1]", "binary[1]"]
KINDS += ["binary[-1]", "binary[99999]", "<i8[1, 1]", "<u8[1]", "NoneType", "ndarray"]


@settings(max_examples=150)
@given(
    st.integers(0, len(SMALL) - 1),
    st.sampled_from(
        [("content", each) for each in CONTENTS]
        + [("kind", each) for each in KINDS]
        + [("depth", each) for each in (-1, 0, 1, 5, 2**31 - 1)]
        + [("name", each) for each in ("", "a", "rows", "0", "-1", WHOLE)]
        + [("gone", None), ("twice", None), ("end", None)]
    ),
)
def test_an_entry_that_changed_is_found_or_does_no_harm(place, change):
    what, value = change
    if what == "gone":
        entries = SMALL[:place] + SMALL[place + 1 :]
    elif what == "twice":
        entries = SMALL[:place] + SMALL[place:][:1] + SMALL[place:]
    elif what == "end":
        entries = SMALL[:place]
    else:
        entries = [*SMALL]
        entries[place] = SMALL[place] | {what: value}
    assert is_fine_or_told(batch_of_entries(entries))


def test_entries_that_are_too_deep_are_found():
    """Of a million in each other, which would exhaust the stack."""
    at = next(
        place
        for place, each in enumerate(SMALL)
        if each["kind"] == "Feature" and SMALL[place + 1]["name"] == "path"
    )
    depth = SMALL[at]["depth"]
    deep = [
        {"depth": depth + each, "name": "a", "kind": "dict", "content": b""}
        for each in range(1_000_000)
    ]
    with pytest.raises(ConfigError, match="is broken"):
        state.from_batches([batch_of_entries(SMALL[: at + 1] + deep)])


def with_moments(whole, **changes):
    values = whole.features["i"].values
    values.moments = dataclasses.replace(values.moments, **changes)
    return whole


@pytest.mark.parametrize(
    "changed",
    [
        lambda whole: dataclasses.replace(whole, rows=-5),
        lambda whole: dataclasses.replace(whole, rows=3),
        lambda whole: dataclasses.replace(whole, weight=float("nan")),
        lambda whole: dataclasses.replace(whole, features={"z": whole.features["i"]}),
        lambda whole: with_moments(whole, deviation=-1.0),
        lambda whole: with_moments(whole, deviation=float("inf")),
        lambda whole: with_moments(whole, rest=float("nan")),
    ],
)
def test_what_no_rows_give_is_found(changed):
    (batch,) = state.to_batches({WHOLE: changed(collected(12)[WHOLE])})
    with pytest.raises(ConfigError, match="is broken"):
        state.from_batches([batch])


def test_without_all_rows_it_is_broken():
    with pytest.raises(ConfigError, match="is broken"):
        state.from_batches(state.to_batches({"s_v0": collected(12)["s_v0"]}))


@pytest.mark.parametrize(
    "batch",
    [
        pa.record_batch({"a": [1]}).replace_schema_metadata(state.SCHEMA.metadata),
        pa.RecordBatch.from_pylist([{}], state.SCHEMA),
        pa.RecordBatch.from_pylist([], state.SCHEMA),
    ],
)
def test_other_rows_are_no_state(batch):
    with pytest.raises(ConfigError, match="is broken"):
        state.from_batches([batch])


def test_another_version_is_told():
    (batch,) = state.to_batches(collected(1))
    older = batch.replace_schema_metadata({b"millrace:statistics": b"2"})
    with pytest.raises(ConfigError, match="another version: make the statistics anew"):
        state.from_batches([older])


def test_sparse_features_of_other_parts_are_not_added_up():
    other = schema_pb2.Schema()
    other.CopyFrom(SCHEMA)
    other.sparse_feature[0].index_feature.add(name="i")
    options = dataclasses.replace(OPTIONS, schema=other)
    both = merged([collected(5), collected(5, options)])
    keys = [json.loads(key) for key in both[WHOLE].composites]
    assert [len(key) for key in keys if key[0][0] == "sparse"] == [3, 4]
    made = described(both, options).datasets[0].features
    (sparse,) = [each for each in made if each.path.step == ["sparse"]]
    ranks = next(each for each in sparse.custom_stats if each.name == "missing_index")
    assert [each.label for each in ranks.rank_histogram.buckets] == ["i", "x"]
