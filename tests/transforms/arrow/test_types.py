"""Types as schemas and statistics, which know no maps, take them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.arrow.casts import as_plain
from transforms.arrow.types import has_map, plain_type, unmapped_type

COUNTS = pa.map_(pa.string(), pa.int64())
LISTED = pa.list_(pa.struct([("key", pa.string()), ("value", pa.int64())]))


@pytest.mark.parametrize(
    ("type", "unmapped"),
    [
        (COUNTS, LISTED),
        (pa.map_(pa.field("k", pa.large_string(), False), pa.field("v", pa.int64())), LISTED),
        (pa.struct([("a", COUNTS)]), pa.struct([("a", LISTED)])),
        (pa.list_(COUNTS), pa.list_(LISTED)),
        (pa.large_list(COUNTS), pa.list_(LISTED)),
        (pa.list_(COUNTS, 2), pa.list_(LISTED, 2)),
        (
            pa.map_(pa.int64(), COUNTS),
            pa.list_(pa.struct([("key", pa.int64()), ("value", LISTED)])),
        ),
        (pa.list_(pa.large_string()), pa.list_(pa.string())),
        (pa.dictionary(pa.int32(), pa.string()), pa.string()),
        (pa.list_(pa.int64(), 2), pa.list_(pa.int64(), 2)),
    ],
)
def test_maps_become_lists_of_structs(type, unmapped):
    assert unmapped_type(type).equals(unmapped)
    assert not has_map(unmapped)


def test_readers_keep_maps():
    assert plain_type(COUNTS).equals(COUNTS)


ENTRIES = st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 9), max_size=3)


@given(st.lists(st.none() | ENTRIES, max_size=6), st.integers(0, 3), st.booleans())
def test_the_entries_stay(rows, start, nested):
    given = [None if row is None else list(row.items()) for row in rows]
    wanted = [
        None if row is None else [{"key": key, "value": value} for key, value in row.items()]
        for row in rows
    ]
    array = pa.array(given, COUNTS)
    if nested:
        array = pa.StructArray.from_arrays([array], ["m"])
        wanted = [{"m": row} for row in wanted]
    array = array.slice(start)
    assert as_plain(array, unmapped_type(array.type)).to_pylist() == wanted[start:]
