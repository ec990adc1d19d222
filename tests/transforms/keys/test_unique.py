import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, run_on
from transforms.batches import with_source
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import RejectedRows
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.keys.unique import Unique, unique_rows


def kept(batches, columns=("k",)):
    return [row["n"] for rows, _ in unique_rows(batches, columns) for row in rows.to_pylist()]


KEYS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("ab")))


@given(KEYS, st.integers(1, 4))
def test_the_first_of_each_key_stays(keys, size):
    numbers, letters = [k for k, _ in keys], [s for _, s in keys]
    columns = {"k": pa.array(numbers, pa.int64()), "s": pa.array(letters, pa.string())}
    whole = pa.RecordBatch.from_pydict({**columns, "n": list(range(len(keys)))})
    batches = [whole.slice(i, size) for i in range(0, len(keys), size)]
    expected, seen = [], set()
    for place, key in enumerate(keys):
        if None in key or key not in seen:
            expected.append(place)
        seen.add(key)
    assert kept(batches, ["k", "s"]) == expected
    outcomes = list(unique_rows(batches, ["k", "s"]))
    assert sum(good.num_rows + bad.num_rows for good, bad in outcomes) == len(keys)


def test_first_is_by_file_and_position_whatever_the_order_of_batches():
    early = with_source(batch_of(k=[1, 2], n=[0, 1]), "a.csv", 1)
    late = with_source(batch_of(k=[2, 3], n=[2, 3]), "a.csv", 10)
    other = with_source(batch_of(k=[1, 4], n=[4, 5]), "b.csv", 1)
    assert sorted(kept([other, late, early])) == [0, 1, 3, 5]
    outcomes = list(unique_rows([other, late, early], ["k"]))
    assert [bad["source"].to_pylist() for _, bad in outcomes] == [
        ["b.csv#row=1"],
        ["a.csv#row=10"],
        [],
    ]
    _, rejects = outcomes[0]
    assert rejects["reason"].to_pylist() == ["duplicate"]
    assert rejects["column"].to_pylist() == ["k"]
    assert rejects["errorMessage"].to_pylist() == ["an earlier row has the same k"]


def test_nothing():
    assert list(unique_rows([], ["k"])) == []
    (outcome,) = unique_rows([batch_of(k=pa.array([], pa.int64()))], ["k"])
    assert outcome[0].num_rows == outcome[1].num_rows == 0


def test_the_verb_without_a_door():
    given = [batch_of(k=[1, 2]), batch_of(k=[3, None, None])]
    out = run_on(given, lambda rows: rows | Unique(["k"]))
    assert sorted(repr(k) for batch in out for k in batch["k"].to_pylist()) == [
        "1",
        "2",
        "3",
        "None",
        "None",
    ]
    with pytest.raises(RejectedRows, match=r"Unique rejected 1 row.*duplicate.*same k"):
        run_on([batch_of(k=[1]), batch_of(k=[1])], lambda rows: rows | Unique(["k"]))


@pytest.mark.parametrize("shards", [1, 8])
def test_a_run_accounts_for_every_row(tmp_path, shards):
    rows = 20_000
    table = pa.table({"k": [i % 7_000 for i in range(rows)], "n": range(rows)})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=3_000)
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead.jsonl", commit)
        _ = (
            root
            | Read(f"{tmp_path}/in.parquet", dead_letters=dead)
            | Unique(["k"], shards, dead_letters=dead)
            | Write(f"{tmp_path}/out/", commit=commit)
        )
    counts = commit.outcome()["counts"]
    assert (counts["rows_in"], counts["rows_out"], counts["rows_dead"]) == (rows, 7_000, 13_000)
    out = pq.read_table(sorted((tmp_path / "out").glob("part-*")))
    assert sorted(out["n"].to_pylist()) == list(range(7_000))
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    places = sorted(int(letter["source"].rpartition("=")[2]) for letter in letters)
    assert places == list(range(7_001, rows + 1))


def test_where_every_row_of_a_shard_but_one_is_rejected(tmp_path):
    pq.write_table(pa.table({"k": [1] * 5}), tmp_path / "in.parquet")
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead.jsonl", commit)
        rows = root | Read(f"{tmp_path}/in.parquet", dead_letters=dead)
        _ = rows | Unique(["k"], dead_letters=dead) | Write(f"{tmp_path}/out/", commit=commit)
    assert commit.outcome()["counts"]["dead_by_reason"] == {"duplicate": 4}


def test_windows_are_apart():
    collect = Collect()
    with local_pipeline() as root:
        times = [(1, 0), (1, 60), (2, 61)]
        stamped = [TimestampedValue(batch_of(k=[k], n=[t]), t) for k, t in times]
        _ = (
            root
            | beam.Create(stamped)
            | beam.WindowInto(FixedWindows(60))
            | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
            | Unique(["k"], shards=2)
            | beam.Map(lambda b, w=beam.DoFn.WindowParam: (int(w.start), b["n"].to_pylist()))
            | collect
        )
    found = {}
    for start, numbers in collect.found:
        found.setdefault(start, []).extend(numbers)
    assert {start: sorted(numbers) for start, numbers in found.items()} == {0: [0], 60: [60, 61]}
