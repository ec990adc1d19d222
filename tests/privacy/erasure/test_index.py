"""Hashes of subjects and rows: the same of texts and of types, and of any parts."""

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import given

from privacy import Subjects, erase_batch, subject_hashes
from privacy.erasure.erase import wanted_of
from privacy.erasure.index import index_of, row_hashes, with_subjects, without_subjects

KEY = "base64:YWJjZGVmZ2hpamtsbW5vcA=="
PEOPLE = st.lists(st.none() | st.sampled_from(["amy", "bob", "eve"]), max_size=12)


def test_numbers_are_their_texts_and_columns_matter():
    one = subject_hashes(pa.array([7, None]), "id", KEY)
    assert one.equals(subject_hashes(pa.array(["7", None]), "id", KEY))
    assert one.type == pa.binary(16)
    assert one[0] != subject_hashes(pa.array([7]), "other", KEY)[0]
    rows = pa.record_batch({"n": [1, 2], "l": [[1], None]})
    texts = pa.record_batch({"n": ["1", "2"], "l": ["[1]", None]})
    assert row_hashes(rows).equals(row_hashes(texts))
    assert not row_hashes(rows, ["n"]).equals(row_hashes(rows))


@given(PEOPLE, st.integers(0, 12))
def test_the_rows_of_a_subject_go_and_no_other(people, cut):
    subjects = Subjects(("who",), KEY)
    numbers = pa.array(range(len(people)), pa.int64())
    batch = pa.record_batch({"who": pa.array(people, pa.string()), "n": numbers})
    carried = with_subjects(batch, subjects)
    assert without_subjects(carried, subjects).equals(batch)
    chosen = subject_hashes(pa.array(["bob"]), "who", KEY).to_pylist()
    wanted = wanted_of(index_of(carried.slice(0, cut), subjects), chosen)
    wanted = wanted.merge(wanted_of(index_of(carried.slice(cut), subjects), chosen))
    kept, told = erase_batch(batch, wanted)
    assert kept["n"].to_pylist() == [n for n, who in enumerate(people) if who != "bob"]
    assert told.matched == wanted.entries == people.count("bob")
    assert told.seen == len(people)
    assert told.rows == wanted.rows
