"""Texts in pieces: joined they are the text, and cut nowhere where a finding would change."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.cloud.pieces import NoSafeCut, candidates, in_pieces, safe_cut

TOKEN = re.compile(r"ring \d+ \d+")
"""A finding with spaces in it, which needs the word before it: cut, it is none."""


def look(texts):
    return [frozenset(("T", *found.span()) for found in TOKEN.finditer(text)) for text in texts]


class Many(Exception):
    pass


def ask_of(most):
    def ask(piece):
        if len(TOKEN.findall(piece)) > most:
            raise Many
        return TOKEN.sub("<>", piece)

    return ask


def pieces(text, most=3, look=look):
    return in_pieces(text, ask_of(most), lambda error: isinstance(error, Many), look)


words = st.sampled_from(["ring 1 2", "ring 44 55", "a", "b.", "c\n", "ring", "7", "é😀"])


@given(st.lists(words, min_size=30, max_size=200).map(" ".join))
def test_pieces_are_transformed_as_the_whole(text):
    try:
        made = pieces(text)
    except NoSafeCut:
        assert len(TOKEN.findall(text)) > 3
        return
    assert "".join(piece for piece, _ in made) == text
    assert "".join(answer for _, answer in made) == TOKEN.sub("<>", text)
    assert len(made) > 1


def test_lines_come_before_words():
    text = "x y " * 20 + "\n" + "x y " * 20
    assert next(candidates(text)) == text.index("\n") + 1


def test_a_text_of_one_finding_is_cut_nowhere():
    def one(texts):
        return [frozenset({("T", 0, len(text))}) for text in texts]

    assert safe_cut("a b " * 50, one) is None
    with pytest.raises(NoSafeCut):
        pieces("ring 1 2 " * 40, look=one)


def test_a_place_around_which_too_much_is_found_is_looked_at_closer():
    asked = []

    def dense(texts):
        asked.append(len(texts[0]))
        return None if len(texts[0]) > 4_000 else look(texts)

    assert safe_cut("ring 1 2 " * 4_000, dense) is not None
    assert asked == [16_000, 8_000, 4_000]
    assert safe_cut("ring 1 2 " * 4_000, lambda texts: None) is None


def test_other_errors_are_raised():
    def broken(piece):
        raise ValueError("other")

    with pytest.raises(ValueError, match="other"):
        in_pieces("a b " * 50, broken, lambda error: isinstance(error, Many), look)
