import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.coders.coders import Coder
from apache_beam.coders.typecoders import registry
from apache_beam.runners.pipeline_context import PipelineContext
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, record_batches, run_on
from transforms.batches import (
    MESSAGE,
    cut,
    rebatch,
    row_positions,
    row_sources,
    select_rows,
    slice_rows,
    take_rows,
    with_source,
)
from transforms.coders import CODER_URN, RecordBatchCoder
from transforms.rebatch import Rebatch

NUMBERS = batch_of(n=list(range(10)))


@given(record_batches())
def test_coder_round_trip(batch):
    coder = RecordBatchCoder()
    back = coder.decode(coder.encode(batch))
    assert back.equals(batch)
    assert back.schema.equals(batch.schema)
    back.validate(full=True)


def test_coder_encodes_the_slice_alone():
    parent = pa.RecordBatch.from_arrays([pa.array(np.arange(100_000))], ["n"])
    assert len(RecordBatchCoder().encode(parent.slice(50, 10))) < 1_000


def test_coder_estimates_by_the_slice():
    impl = RecordBatchCoder().get_impl()
    assert impl.estimate_size(NUMBERS.slice(0, 5)) == 40


def test_coder_is_registered_and_has_its_own_urn():
    assert registry.get_coder(pa.RecordBatch) == RecordBatchCoder()
    proto = RecordBatchCoder().to_runner_api(PipelineContext())
    assert proto.spec.urn == CODER_URN
    assert proto.spec.payload == b""
    assert Coder.from_runner_api(proto, PipelineContext()) == RecordBatchCoder()


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 12), st.integers(8, 200))
def test_rebatch_keeps_rows_and_bounds(sizes, max_rows, max_bytes):
    starts = np.cumsum([0, *sizes])
    batches = [batch_of(n=list(range(a, a + s))) for a, s in zip(starts, sizes, strict=False)]
    batches = [b.cast(pa.schema([("n", pa.int64())])) for b in batches]
    out = list(rebatch(batches, max_rows, max_bytes))
    assert [n for b in out for n in b["n"].to_pylist()] == list(range(sum(sizes)))
    assert all(b.num_rows <= max_rows and b.nbytes <= max(max_bytes, 8) for b in out)
    if sizes:
        assert out, "an empty batch still tells its schema"


def test_rebatch_joins_only_one_schema():
    mixed = [batch_of(a=[1]), batch_of(a=[2]), batch_of(b=["x"])]
    assert [b.to_pydict() for b in rebatch(mixed)] == [{"a": [1, 2]}, {"b": ["x"]}]


def _line(*lines, source="f.csv", first=None):
    rows = batch_of(line=pa.array(lines, pa.int64()))
    return with_source(rows, source, np.array(lines) if first is None else first, "line")


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.data())
def test_rows_joined_from_one_file_know_their_lines(gaps, data):
    lines = np.cumsum(gaps)
    edges = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    parts = [_line(*part) for part in np.split(lines, edges) if len(part)]
    for joined in rebatch(parts, data.draw(st.integers(1, 12))):
        expected = [f"f.csv#line={line}" for line in joined["line"].to_pylist()]
        assert row_sources(joined, np.arange(joined.num_rows)).to_pylist() == expected


@pytest.mark.parametrize(
    ("other", "sources"),
    [
        (_line(3, source="g.csv"), [None, None]),
        (_line(1), ["f.csv", "f.csv"]),
        (batch_of(line=[3]), [None, None]),
        (with_source(batch_of(line=[3]), "f.csv", None, "line"), ["f.csv", "f.csv"]),
        (with_source(batch_of(line=[3]), "f.csv", 3, "row"), [None, None]),
    ],
    ids=["other file", "out of order", "unknown", "no position", "other unit"],
)
def test_rows_joined_know_no_more_than_is_true_of_all(other, sources):
    (joined,) = rebatch([_line(2), other])
    assert row_sources(joined, np.arange(2)).to_pylist() == sources


def test_joined_messages_know_their_ids():
    message = [with_source(batch_of(message_id=[n]), "sub", None, MESSAGE) for n in ("a", "b")]
    (joined,) = rebatch(message)
    assert row_sources(joined, np.arange(2)).to_pylist() == ["sub#message=a", "sub#message=b"]


def test_cut_moves_the_position():
    noted = with_source(NUMBERS, "f.csv", 100, "line")
    last = list(cut(noted, 4, 1 << 20))[-1]
    assert row_sources(last, np.array([0, 1])).to_pylist() == ["f.csv#line=108", "f.csv#line=109"]


def test_sources_of_rows():
    assert row_sources(NUMBERS, np.array([3])).to_pylist() == [None]
    noted = with_source(NUMBERS, "f.parquet", 1)
    assert row_sources(slice_rows(noted, 2, 3), np.array([1])).to_pylist() == ["f.parquet#row=4"]
    picked = select_rows(noted, np.arange(10) % 2 == 0)
    assert picked["n"].to_pylist() == [0, 2, 4, 6, 8]
    assert row_sources(picked, np.array([1])).to_pylist() == ["f.parquet#row=3"]
    assert select_rows(noted, np.ones(10, bool)) is noted


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.data())
def test_positions_follow_the_rows(gaps, data):
    """However rows are cut and sifted, each knows the line that it stood in."""
    lines = np.cumsum(gaps)
    batch = with_source(pa.RecordBatch.from_arrays([pa.array(lines)], ["line"]), "f", lines, "line")
    for _ in range(3):
        if data.draw(st.booleans()):
            start = data.draw(st.integers(0, batch.num_rows))
            batch = slice_rows(batch, start, data.draw(st.integers(0, batch.num_rows - start)))
        else:
            rows = batch.num_rows
            mask = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), bool)
            batch = select_rows(batch, mask)
        expected = [f"f#line={line}" for line in batch["line"].to_pylist()]
        assert row_sources(batch, np.arange(batch.num_rows)).to_pylist() == expected


GRID = pa.list_(pa.list_(pa.int64(), 2), 3)


@pytest.mark.parametrize(
    ("type", "made"),
    [
        (GRID, lambda n: [[n, -n]] * 3),
        (pa.struct([("a", GRID)]), lambda n: {"a": [[n, -n]] * 3}),
        (pa.list_(GRID, 1), lambda n: [[[n, -n]] * 3]),
        (pa.list_(GRID), lambda n: [[[n, -n]] * 3] * n),
        (pa.list_(pa.struct([("a", GRID)]), 2), lambda n: [{"a": [[n, -n]] * 3}] * 2),
    ],
)
def test_rows_of_a_slice_with_lists_of_fixed_size_in_others(type, made):
    """Arrow takes others out of it, also such as were never there."""
    batch = batch_of(x=pa.array([made(n) for n in range(12)], type), n=list(range(12))).slice(3)
    mask = np.isin(np.arange(9), [1, 4])
    for rows in (take_rows(batch, np.array([1, 4])), select_rows(batch, mask)):
        assert rows["n"].to_pylist() == [4, 7]
        assert rows["x"].to_pylist() == [made(4), made(7)]


@pytest.mark.parametrize(
    ("type", "values"),
    [
        (pa.string_view(), ["a", None, "c", "d"]),
        (pa.list_(pa.string_view()), [["a"], None, [], ["d"]]),
        (pa.list_view(pa.int64()), [[1], None, [], [4, 5]]),
    ],
)
def test_rows_with_views_stay_as_they_are(type, values):
    batch = with_source(batch_of(x=pa.array(values, type)), "in.csv", 10)
    for rows in (
        take_rows(batch, np.array([1, 3])),
        select_rows(batch, np.array([0, 1, 0, 1]) > 0),
    ):
        assert rows["x"].to_pylist() == [values[1], values[3]]
        assert rows["x"].type == type
        assert row_positions(rows).tolist() == [11, 13]


def test_rebatch_transform():
    batches = [batch_of(n=[i]) for i in range(7)]
    out = run_on(batches, lambda rows: rows | Rebatch(max_rows=3))
    assert sorted(n for b in out for n in b["n"].to_pylist()) == list(range(7))
    assert sorted(b.num_rows for b in out) == [1, 3, 3]


def test_rebatch_never_joins_windows():
    collect = Collect()
    with local_pipeline() as root:
        _ = (
            root
            | beam.Create([TimestampedValue(batch_of(n=[t]), t) for t in (1, 2, 61, 62)])
            | beam.WindowInto(FixedWindows(60))
            | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
            | Rebatch(max_rows=100)
            | beam.Map(lambda b, w=beam.DoFn.WindowParam: (int(w.start), b["n"].to_pylist()))
            | collect
        )
    assert sorted(collect.found) == [(0, [1, 2]), (60, [61, 62])]


@pytest.mark.parametrize("bounds", [{"max_rows": 0}, {"max_bytes": 0}])
def test_rebatch_bounds_are_checked(bounds):
    with pytest.raises(ValueError, match="at least 1"):
        Rebatch(**bounds)
