"""Files of rules, and where their errors are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ROOT, batch_of
from tests.transforms.rules.expressions import COLUMNS
from transforms.errors import ConfigError
from transforms.rules.column_rules import ColumnRule
from transforms.rules.files import parse_rules, read_rules
from transforms.rules.kinds import Kind
from transforms.rules.row_rules import RowRule
from transforms.rules.tokens import ExpressionError
from transforms.user_code import Code

GOOD = """
# Rules of trips.
rules:
  - row: f >= 0 and g < 500
    name: sane
  - column: mean(f) between 5 and 50
  - row: "s matches '^A' or length(tags) > 2"
  - row: >
      f is not null
      and i in (1, 2, -3)
  - unique: [i, s]
  - unique: j
    name: ids
"""


def test_a_file_of_rules(tmp_path):
    (tmp_path / "rules.yaml").write_text(GOOD)
    rules = read_rules(str(tmp_path / "rules.yaml"), COLUMNS)
    assert [rule.name for rule in rules.row] == [
        "sane",
        "s matches '^A' or length(tags) > 2",
        "f is not null and i in (1, 2, -3)",
    ]
    assert [rule.name for rule in rules.column] == ["mean(f) between 5 and 50"]
    assert [(rule.name, rule.columns) for rule in rules.unique] == [
        ("unique(i, s)", ("i", "s")),
        ("ids", ("j",)),
    ]


def test_what_the_documentation_shows(tmp_path):
    text = (ROOT / "docs" / "rules.md").read_text()
    rules, python = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("yaml", "python"))
    (tmp_path / "rules.py").write_text(python)
    kinds = {"fare": Kind.FLOAT, "trip_miles": Kind.FLOAT, "tips": Kind.FLOAT}
    kinds |= {"company": Kind.TEXT, "taxi_id": Kind.TEXT, "trip_start_timestamp": Kind.INT}
    found = parse_rules(rules, kinds, Code.read(str(tmp_path / "rules.py")))
    assert (len(found.row), len(found.column), len(found.unique)) == (4, 2, 1)
    assert found.warnings == {"null_share(tips) < 0.1"}
    batch = batch_of(fare=[1.0, 100.0], trip_miles=[1.0, 1.0])
    assert found.row[3].broken(batch).tolist() == [False, True]


def test_severities():
    text = "- {row: f > 0, severity: error}\n- {unique: i, severity: WARNING}\n- column: sum(f) > 1"
    text += "\n- {row: f > 1, severity: warning, name: big}"
    rules = parse_rules(text, COLUMNS)
    assert rules.warnings == {"unique(i)", "big"}
    assert rules.rejecting.names == ("f > 0",)
    assert rules.judging.names == ("big", "sum(f) > 1", "unique(i)")
    assert rules.judging.warnings == rules.warnings


def test_a_list_will_do_and_so_will_nothing():
    assert len(parse_rules("- row: f > 0", COLUMNS).row) == 1
    assert parse_rules("", COLUMNS).row == ()
    assert parse_rules("rules: []", COLUMNS).row == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("- row: ff > 1", 1, 8, "there is no column 'ff'; did you mean 'f'?"),
        ("- row: i > 1\n- row: f >= 0 and ff > 1", 2, 19, "there is no column 'ff'"),
        ("- row: f > 'a'", 1, 12, "FLOAT and TEXT can't be compared by '>'"),
        ("- row: f > ", 1, 11, "expected a value, found the end"),
        ("- row: f + s > 1", 1, 12, "'+' needs numbers, but this is TEXT"),
        ("- row: f and b", 1, 8, "'and' needs conditions, but this is FLOAT"),
        ("- row: b > true", 1, 8, "'>' needs values that can be compared, but this is BOOL"),
        ("- row: not b or", 1, 16, "expected a value, found the end"),
        ("- row: f", 1, 8, "a rule is a condition, but this is FLOAT"),
        ("- row: 1 < f < 2", 1, 14, "comparisons don't chain; join them by and"),
        ("- row: (f > 1", 1, 14, "expected ), found the end"),
        ("- row: f > 1)", 1, 13, "expected the end, found ')'"),
        ("- row: f not 1", 1, 14, "expected in, between or matches after not"),
        ("- row: f is nil", 1, 13, "expected null, found 'nil'"),
        ("- row: f in ()", 1, 14, "expected a value, found ')'"),
        ("- row: f in (i)", 1, 14, "in (...) takes numbers, texts, true or false"),
        ("- row: s in (1)", 1, 14, "TEXT and INT can't be compared by 'in'"),
        ("- row: f ~ 1", 1, 10, "'~' means nothing here"),
        ('- row: s = "x"', 1, 12, "'\"' means nothing here; a text stands in single quotes"),
        ("- row: s = 'x", 1, 12, "this text has no closing quote"),
        ("- row: '`s = 1'", 1, 9, "this column name has no closing backquote"),
        ("- row: i < 9223372036854775808", 1, 12, "an integer is less than 2^63"),
        ("- row: s matches '['", 1, 18, "not a regular expression of RE2: missing ]"),
        ("- row: f matches 'x'", 1, 8, "'matches' needs a text, but this is FLOAT"),
        ("- row: s matches s", 1, 18, "expected a text, found 's'"),
        ("- row: lenth(s) > 1", 1, 8, "there is no function lenth(); did you mean length()?"),
        ("- row: foo(s) > 1", 1, 8, "there is no function foo(); there are abs, count, day"),
        ("- row: length(f) > 1", 1, 15, "length() needs a text or a list, but this is FLOAT"),
        ("- row: abs(f, i) > 1", 1, 8, "abs() takes one value"),
        ("- row: t > '2026-13-01'", 1, 12, "this text is no time"),
        ("- row: t > 5", 1, 12, "TIME and INT can't be compared"),
        ("- row: tags = tags", 1, 8, "'=' needs values that can be compared, but this is LIST"),
        ("- row: mean(f) > 1", 1, 8, "mean() is of a whole column"),
        ("- column: f > 1", 1, 11, "column 'f' must stand in an aggregate, such as mean(f)"),
        ("- column: mean(ff) > 1", 1, 16, "there is no column 'ff'; did you mean 'f'?"),
        ("- column: mean(max(f)) > 1", 1, 16, "max() can't stand within another aggregate"),
        ("- column: sum(s) > 1", 1, 15, "sum() can't be taken of TEXT values"),
        ("- column: mean(f, g) > 1", 1, 11, "mean() takes one column or expression"),
        ("- column: mean() > 1", 1, 11, "mean() takes one column or expression"),
        ("- column: 1 > 2", 1, 13, "a column rule needs an aggregate"),
        ("- column: mean(f)", 1, 11, "a rule is a condition, but this is FLOAT"),
        ("- unique: [i, nn]", 1, 15, "there is no column 'nn'"),
        ("- unique: tags", 1, 11, "column 'tags' is a LIST, which is no key"),
        ("- unique: []", 1, 11, "unique: names a column or several"),
        ("- rwo: f > 1", 1, 3, "a rule has no field 'rwo'; did you mean 'row'?"),
        ("- name: x", 1, 3, "a rule has one of row, column, unique, python"),
        ("- {row: b, column: b}", 1, 3, "a rule has one of row, column, unique, python"),
        ("- {row: b, row: b}", 1, 12, "'row' is there twice"),
        ("- {row: b, severity: warn}", 1, 22, "'warn' is no severity; did you mean warning?"),
        ("- {row: b, severity: 3}", 1, 22, "'3' is no severity, but error or warning"),
        ("- {row: b, severity: [error]}", 1, 22, "expected a text"),
        ('- {row: b, name: "a\\ud800"}', 1, 18, "this text has half of a surrogate pair"),
        ("- row: b\n- row: i > 1\n- row: b", 3, 3, "two rules are called 'b'"),
        ("- row: [b]", 1, 8, "expected a text"),
        ("- f > 1", 1, 3, "expected a rule as `row: ...`"),
        ("rules: 5", 1, 8, "expected a list of rules"),
        ("rule: []", 1, 1, "the file has no field 'rule'; did you mean 'rules'?"),
        ("- row: [b", 1, 10, "not YAML"),
        ("- python: f", 1, 11, "a Python rule needs --code"),
        # Quoted, folded and literal texts keep their places.
        ('- row: "f >= 0\n    and  ff = 1"', 2, 10, "there is no column 'ff'"),
        ("- row: 's = ''x'' and ff = 1'", 1, 23, "there is no column 'ff'"),
        ("- row: |\n    f > 0 and\n    ff > 1", 3, 5, "there is no column 'ff'"),
        ("- row: >\n\n    f > 0 and\n    f > 'a'", 4, 9, "FLOAT and TEXT can't be compared"),
        ("- row: 'ff > 1'", 1, 9, "there is no column 'ff'"),
    ],
)
def test_errors_tell_their_place(text, line, column, message):
    with pytest.raises(ConfigError) as caught:
        parse_rules(text, COLUMNS, where="r.yaml")
    assert str(caught.value).startswith(f"r.yaml: line {line}, column {column}: {message}")


PIECES = ["- ", "row", ": ", "f > 1", "\n", "  ", "[", "{", "'", "|", "&a ", "*a", "? "]
WORDS = "f i s ff 1 2.5 'a' ( ) , + - * / < = and or not in between is null matches mean".split()


def _error(kind, function, text):
    """What a function raises of a kind, or None; anything else fails the test."""
    try:
        function(text, COLUMNS)
    except kind as error:
        return error
    return None


@given(st.text(max_size=20) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_a_bad_expression_is_nothing_worse_than_that(text):
    for rule in (RowRule, ColumnRule):
        error = _error(ExpressionError, rule.of, text)
        assert error is None or 0 <= error.at <= len(text)


@given(st.text(max_size=20) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_a_bad_file_is_nothing_worse_than_that(text):
    error = _error(ConfigError, parse_rules, text)
    assert error is None or str(error).startswith("rules: ")


def test_names_are_told_apart():
    with pytest.raises(ConfigError, match="two rules are called 'b'"):
        parse_rules("- row: b\n- row: b", COLUMNS)


@pytest.mark.parametrize("text", ["(" * 60 + "b" + ")" * 60, "not " * 60 + "b", "-" * 60 + "1 > 0"])
def test_nesting_is_bounded(text):
    with pytest.raises(ConfigError, match="nested more than 50 deep"):
        parse_rules(f"- row: '{text}'", COLUMNS)


def test_long_rules_are_no_nesting():
    many = " or ".join(["i = 1"] * 500)
    assert len(parse_rules(f"- row: {many}", COLUMNS).row) == 1
    with pytest.raises(ConfigError, match="more than 150 operations within each other"):
        parse_rules(f"- row: {' + '.join('i' * 500)} > 0", COLUMNS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"--rules .*none.yaml: can't be read"):
        read_rules(str(tmp_path / "none.yaml"), COLUMNS)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"bytes.yaml: is not UTF-8"):
        read_rules(str(tmp_path / "bytes.yaml"), COLUMNS)


def test_python_rules_are_named(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("def positive(batch): return batch['f']\ndef _hidden(batch): pass\n")
    code = Code.read(str(path))
    rules = parse_rules("- python: positive", COLUMNS, code)
    assert [rule.name for rule in rules.row] == ["positive"]
    with pytest.raises(ConfigError, match=r"line 1, column 11: .*did you mean 'positive'"):
        parse_rules("- python: positiv", COLUMNS, code)
    with pytest.raises(ConfigError, match="no function '_hidden'"):
        parse_rules("- python: _hidden", COLUMNS, code)
