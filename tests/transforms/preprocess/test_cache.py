"""The cache of figures by span: foreign files, and another run that takes some away."""

import threading

import pyarrow as pa
import pytest

from transforms.errors import ConfigError
from transforms.files.format import File
from transforms.io.spans import Span
from transforms.preprocess.cache import SUFFIX, SpanCache

SPAN = Span("1", (File("rows.csv", 3),))


def test_what_another_run_has_dropped_is_missed(tmp_path):
    cache = SpanCache(str(tmp_path), (SPAN,))
    cache.write(SPAN, {"a": [b"1"], "b": [b"2"]})
    assert cache.held(SPAN, ["a", "b"]) == {"a": [b"1"], "b": [b"2"]}
    SpanCache(str(tmp_path), (Span("2", ()),)).drop_others()
    with pytest.raises(ConfigError, match=r"1\.analyzers\.arrow was deleted or replaced"):
        cache.held(SPAN, ["a"])
    assert cache.held(SPAN, []) == {}


def test_a_file_of_other_rows_does_not_count_in_a_run(tmp_path):
    SpanCache(str(tmp_path), (SPAN,), "other").write(SPAN, {"a": [b"1"]})
    with pytest.raises(ConfigError, match="deleted or replaced"):
        SpanCache(str(tmp_path), (SPAN,)).held(SPAN, ["a"])


def test_a_foreign_file(tmp_path):
    path = f"{tmp_path}/1{SUFFIX}"
    schema = pa.schema([("x", pa.int64())], {"millrace:span": b"\xff\xfe"})
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, schema):
        pass
    with pytest.raises(ConfigError, match=r"can't be read.*delete it"):
        SpanCache(str(tmp_path), (SPAN,)).read(SPAN)


def test_two_runs_write_at_once(tmp_path):
    cache, failed = SpanCache(str(tmp_path), (SPAN,)), []

    def write():
        try:
            for _ in range(20):
                cache.write(SPAN, {"a": [b"1" * 10_000]})
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert cache.held(SPAN, ["a"]) == {"a": [b"1" * 10_000]}
    assert [path.name for path in tmp_path.iterdir()] == [f"1{SUFFIX}"]
