"""The words of messages, and the text of paths."""

import pytest

from transforms.metadata.paths import path_text
from transforms.schema.spelling import parse_float, parse_int
from transforms.words import amount, counted, handful, number, quoted, repeated, share


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a",), "a"),
        (("a", "b c"), "a.b c"),
        (("a.b", "c"), "'a.b'.c"),
        (("it's",), "'it''s'"),
        (("(ext.name)", "x"), "(ext.name).x"),
        (("f(x)",), "'f(x)'"),
        (("",), "''"),
    ],
)
def test_paths_as_tfdv_writes_them(path, text):
    assert path_text(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("Zoë", '"Zoë"'),
        ("", '""'),
        ("a\nb", '"a\\nb"'),
        ('say "ä"', '"say \\"ä\\""'),
        ("x" * 61, '"' + "x" * 60 + '..."'),
    ],
)
def test_values(value, text):
    assert quoted(value) == text


def test_numbers():
    assert handful("abc", 3) == "a, b, c"
    assert handful("abcdefg", 1000) == "a, b, c, d, e and 995 more"
    assert [share(n, 200) for n in (1, 2, 199, 200)] == ["<1%", "~1%", "~99%", "~100%"]
    assert share(1, 0) == "?"
    assert [amount(each) for each in (3.0, 2**60, 0.5)] == ["3", str(2**60), "0.5"]
    assert [counted(n, "row") for n in (0, 1, 2, 0.5)] == ["0 rows", "1 row", "2 rows", "0.5 rows"]
    assert number(1234567.0) == "1.23457e+06"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" -5 ", -5),
        ("+7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("1.0", None),
        ("1_0", None),
        ("\u0665", None),
        ("", None),
        ("9" * 9999, None),
    ],
)
def test_integers_written_as_text(text, value):
    assert parse_int(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), (" 1e3 ", 1000.0), ("inf", float("inf")), ("1_0", None), ("x", None)],
)
def test_floats_written_as_text(text, value):
    assert parse_float(text) == value


def test_repeated_names_are_listed_once_and_sorted():
    assert repeated(["b", "a", "b", "c", "a", "a"]) == ["a", "b"]
    assert repeated(iter(["a", "b"])) == []
