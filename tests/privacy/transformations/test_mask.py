"""Masks, by the words of DLP's documentation, and against a plain loop."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.transformations.mask import CharacterMask


def masked(texts, **how):
    return CharacterMask(**how)(pa.array(texts, pa.string()))[0].to_pylist()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "*******************"),
        ({"number": 7}, "*******78-9012-3456"),
        ({"number": -4, "ignored": "-"}, "****-****-****-3456"),
        ({"number": -4, "reverse": True, "ignored": "-"}, "1234-****-****-****"),
        ({"number": 3, "reverse": True, "character": "#"}, "1234-5678-9012-3###"),
        ({"number": 99}, "*******************"),
        ({"number": -99}, "1234-5678-9012-3456"),
    ],
)
def test_examples(how, expected):
    assert masked(["1234-5678-9012-3456"], **how) == [expected]


def plainly(text, character, number, reverse, ignored):
    places = [i for i, letter in enumerate(text) if letter not in ignored]
    if reverse:
        places.reverse()
    count = len(places) if not number else number if number > 0 else max(len(places) + number, 0)
    letters = list(text)
    for place in places[:count]:
        letters[place] = character
    return "".join(letters)


@given(
    st.lists(st.none() | st.text("ab-é\u20ac\U0001f600", max_size=8), max_size=6),
    st.sampled_from("*é"),
    st.integers(-5, 5),
    st.booleans(),
    st.sampled_from(["", "-", "é-"]),
)
def test_like_a_loop(texts, character, number, reverse, ignored):
    how = {"character": character, "number": number, "reverse": reverse, "ignored": ignored}
    assert masked(texts, **how) == [
        None if text is None else plainly(text, **how) for text in texts
    ]
    column = pa.array(["zz", *texts], pa.string()).slice(1)
    assert CharacterMask(**how)(column)[0].to_pylist() == masked(texts, **how)
