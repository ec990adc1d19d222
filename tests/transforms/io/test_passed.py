"""How far the reading of a split is."""

import gzip
import io

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from transforms.files.format import File, Split
from transforms.io.file_read import plan_file, read_split
from transforms.io.file_source import Source
from transforms.io.inputs import resolve_input
from transforms.io.passed import Passed

ROWS = 40_000
TABLE = pa.table({"a": range(ROWS), "b": [f"some longer text {at:06}" for at in range(ROWS)]})


def write(kind, path):
    """One file of one split, and where it is."""
    if kind == "parquet":
        pa.parquet.write_table(TABLE, path / "x.parquet")
        return path / "x.parquet"
    pa.csv.write_csv(TABLE, path / "x.csv")
    if kind == "csv":
        return path / "x.csv"
    (path / "x.csv.gz").write_bytes(gzip.compress((path / "x.csv").read_bytes()))
    return path / "x.csv.gz"


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz"])
def test_a_single_file_moves_while_it_is_read(tmp_path, kind):
    source = resolve_input(str(write(kind, tmp_path)), None)
    assert isinstance(source, Source)
    (split,) = plan_file(source, source.files[0])
    passed, seen = Passed(split), []
    for rows, _ in read_split(source, split, 1000, passed):
        assert rows.num_rows <= 1000
        seen.append(passed.more())
    assert all(more >= 0 for more in seen)
    assert sum(seen) + passed.rest() == split.weight == source.bytes
    assert passed.rest() == 0
    if kind == "parquet":
        # As smooth as the batches are.
        assert max(seen) <= split.weight // 20
    assert 0 < seen[0] <= split.weight


def test_a_part_counts_from_where_it_begins():
    stream = io.BytesIO(bytes(100))
    passed = Passed(Split(File("x", 100), 40, 80, 5, 40))
    for at, more in [(40, 0), (50, 10), (75, 25), (70, 0), (95, 5), (100, 0)]:
        stream.seek(at)
        passed.tell(stream, 1)
        assert passed.more() == more
    assert passed.rest() == 0


def test_a_stream_that_can_not_tell_counts_at_the_end():
    passed = Passed(Split(File("x", 100), 0, 100, 1, 100))
    passed.tell(object(), 1)
    assert (passed.more(), passed.rest()) == (0, 100)
