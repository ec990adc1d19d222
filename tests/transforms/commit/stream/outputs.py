"""An output of a stream in a folder, its log, and what a reader finds in it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support import batch_of
from transforms.commit.stream.commit import StreamCommit
from transforms.commit.stream.wal import append

START, END = 1_769_903_940_000_000, 1_769_904_000_000_000
WINDOW = "20260131T235900Z"


def target_of(folder, run_id="r1"):
    return StreamCommit("job", run_id).target(f"{folder}/out/")


def messages(*ids):
    """A row of each message; its number tells which row it is."""
    numbers = [f"{name}.{list(ids[:place]).count(name)}" for place, name in enumerate(ids)]
    return batch_of(message_id=pa.array(ids, pa.string()), n=pa.array(numbers, pa.string()))


def log(target, *ids, start=START, end=END):
    return append(target.staging, start, end, [messages(*ids)])


def rows(folder):
    """The rows of all files, in their order."""
    paths = sorted((folder / "out").glob("window_start=*/*.parquet"))
    return [n for path in paths for n in pq.ParquetFile(path).read()["n"].to_pylist()]


def manifests(folder):
    return [json.loads(p.read_text()) for p in sorted(folder.glob("out/_millrace/panes/*.json"))]
