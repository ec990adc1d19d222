"""Overlaps: what is kept, and what sticks out of it."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from privacy.local.finding.overlaps import with_rests, without_overlaps
from privacy.local.redact import redact_batch
from privacy.spans import Spans
from tests.privacy.policies import of_type, policy

PLACES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(0, 2), st.integers(1, 5)),
    min_size=1,
    max_size=12,
)


def spans(given):
    starts, sizes, kinds, levels = (np.array(each) for each in zip(*given, strict=True))
    made = Spans(np.zeros(len(given), int), starts, starts + sizes, kinds, levels)
    return Spans.joined([made])


@given(PLACES)
def test_all_that_was_found_is_covered_and_nothing_twice(given):
    found = spans(given)
    kept = without_overlaps(found, np.array([True, False, False]))
    every = with_rests(np.full(64, ord("x"), np.uint8), found, kept)
    assert (every.starts[1:] >= every.ends[:-1]).all()
    covered, wanted = np.zeros(64, int), np.zeros(64, int)
    for start, end in zip(every.starts, every.ends, strict=True):
        covered[start:end] += 1
    for start, end in zip(found.starts, found.ends, strict=True):
        wanted[start:end] = 1
    assert (covered == wanted).all()
    first = set(zip(kept.starts.tolist(), kept.ends.tolist(), strict=True))
    assert first <= set(zip(every.starts.tolist(), every.ends.tolist(), strict=True))


def test_what_sticks_out_is_redacted_by_its_own_transformation():
    rules = policy(
        of_type("CREDIT_CARD_NUMBER", {"replace_with_info_type_config": {}}),
        of_type("C", {"character_mask_config": {"masking_character": "#"}}),
        names=["CREDIT_CARD_NUMBER"],
        custom_info_types=[
            {"info_type": {"name": "C"}, "regex": {"pattern": r"Ann \d{4} \d{4} \d{4} \d{4} Lee"}}
        ],
    )
    batch = pa.record_batch({"t": ["so Ann 4111 1111 1111 1111 Lee it is"]})
    rows, _ = redact_batch(batch, rules)
    assert rows.column("t").to_pylist() == ["so ####[CREDIT_CARD_NUMBER]#### it is"]
