"""k-anonymity and l-diversity, compared with counting by rows."""

from collections import defaultdict

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given

from privacy import KAnonymity, LDiversity, Measure
from privacy.anonymity.classes import class_counts, measured, merged_classes
from tests.support import run_on
from transforms.errors import ConfigError

ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["10115", "10117"]),
        st.none() | st.integers(30, 32),
        st.none() | st.sampled_from(["flu", "cold", ""]),
    ),
    max_size=30,
)


def batch_of(rows):
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    types = (pa.string(), pa.int64(), pa.string())
    arrays = [pa.array(each, kind) for each, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, ["zip", "age", "illness"])


def by_rows(rows, asked, diversity):
    classes = defaultdict(list)
    for place, age, illness in rows:
        classes[place, age].append(illness)
    sizes = [(len(set(each)) if diversity else len(each), len(each)) for each in classes.values()]
    below = [(count, number) for count, number in sizes if count < asked]
    least = min((count for count, _ in sizes), default=None)
    return Measure(len(rows), len(sizes), least, len(below), sum(number for _, number in below))


@given(ROWS, st.integers(1, 4), st.booleans(), st.integers(0, 30))
def test_as_counted_by_rows_in_any_parts(rows, asked, diversity, cut):
    batch, sensitive = batch_of(rows), "illness" if diversity else None
    parts = [batch.slice(0, cut), batch.slice(min(cut, len(rows)))]
    classes = merged_classes(class_counts(part, ["zip", "age"], sensitive) for part in parts)
    assert measured(classes, asked, diversity) == by_rows(rows, asked, diversity)


def test_the_verbs():
    rows = [
        ("a", 1, "x"),
        ("a", 1, "y"),
        ("b", 2, "x"),
        ("b", 2, "x"),
        ("b", 2, "x"),
        ("c", 3, "z"),
    ]
    batches = [batch_of(rows[:2]), batch_of(rows[2:]), batch_of([])]
    (found,) = run_on(batches, lambda given: given | KAnonymity(["zip", "age"], k=3))
    assert found == by_rows(rows, 3, False) == Measure(6, 3, 1, 2, 3)
    (found,) = run_on(batches, lambda given: given | LDiversity(["zip", "age"], "illness", l=2))
    assert found == by_rows(rows, 2, True) == Measure(6, 3, 1, 2, 4)
    (found,) = run_on([batch_of([])], lambda given: given | KAnonymity(["zip"]))
    assert found == Measure()


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        (lambda: KAnonymity([]), "columns is a list"),
        (lambda: KAnonymity(["a"], k=0), "k is 0"),
        (lambda: LDiversity(["a"], "a"), "'a' is a quasi-identifier, and so known"),
        (lambda: LDiversity(["a", "a"], "b"), "names one twice"),
    ],
)
def test_mistakes(verb, told):
    with pytest.raises(ConfigError, match=told):
        verb()
