import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.errors import MillraceError
from transforms.io.formats.parquet import Parquet
from transforms.io.read import read_batches
from transforms.io.source import Source

PAIRS = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2))


def test_null_among_lists_of_fixed_size_is_not_written(tmp_path):
    rows = pa.RecordBatch.from_arrays([PAIRS], ["pair"])
    with (tmp_path / "x.parquet").open("wb") as stream:
        writer = Parquet().writer(stream, rows.schema)
        writer.write(rows.slice(0, 1))
        with pytest.raises(MillraceError, match=r"column 'pair' has null .* cast it to a list"):
            writer.write(rows)
        writer.close()


def test_null_among_lists_of_fixed_size_can_not_be_read(tmp_path):
    pq.write_table(pa.table([PAIRS], ["pair"]), tmp_path / "x.parquet")
    ((rows, rejects),) = read_batches(Source.resolve(str(tmp_path / "x.parquet")))
    assert rows.num_rows == 0
    assert "null in a column of fixed-size lists" in rejects["errorMessage"][0].as_py()
