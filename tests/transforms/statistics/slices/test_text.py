"""Slices as a text says them: which form a part is of, and what is told of a wrong one."""

import pickle
import subprocess
import sys
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ROOT, batch_of, run_on
from transforms.errors import ConfigError
from transforms.statistics.collect import statistics_of
from transforms.statistics.generate import GenerateStatistics
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.text import parse_slices
from transforms.user_code import Code

CODE = Code(
    "code.py",
    """
import pyarrow as pa
import pyarrow.compute as pc

def far(batch):
    return pc.greater(batch["fare"], 10)

def by_pay(batch):
    return pc.if_else(pc.is_null(batch["fare"]), None, pc.utf8_lower(batch["pay"]))

def coded(batch):
    return by_pay(batch).dictionary_encode()

def numbers(batch):
    return batch["fare"]

def short(batch):
    return far(batch).slice(1)

def plain(batch):
    return batch["pay"].to_pylist()

def fails(batch):
    raise ValueError(batch["pay"][0].as_py())
""",
)
BATCH = batch_of(
    n=[1, 2, 3, 4],
    fare=[5.0, 20.0, None, 100.0],
    pay=["Cash", "Card", "Cash", None],
    shop=["Joe's", "a;b", "x=y z", "Blue Ribbon Inc."],
    flag=[True, False, None, True],
    since=pa.nulls(4, pa.month_day_nano_interval()),
    cost=pa.array([Decimal("1.50"), Decimal("2.00"), None, Decimal("1.50")]),
    place=pa.array([{"x": 1}] * 4),
    **{"two words": ["u", "v", "u", "u"], "a:b": [1, 1, 2, 2], "python": [1, 2, 3, 4]},
)


def slices(text):
    slicers = pickle.loads(pickle.dumps(parse_slices(text, BATCH.schema, CODE)))
    return {name: part["n"].to_pylist() for slicer in slicers for name, part in slicer(BATCH)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # By columns: as they are in the data, also where no expression knows their kind.
        ("pay", {"pay_Cash": [1, 3], "pay_Card": [2]}),
        (" pay=Cash ", {"pay_Cash": [1, 3]}),
        ("pay =Cash", {"pay_Cash": [1, 3]}),
        ("fare=20", {"fare_20": [2]}),
        ("flag=true", {"flag_true": [1, 4]}),
        ("pay,flag=false", {"pay_Card_flag_false": [2]}),
        ("shop=Joe's;pay=Card", {"shop_Joe's": [1], "pay_Card": [2]}),
        ("shop=Blue Ribbon Inc.", {"shop_Blue Ribbon Inc.": [4]}),
        ("pay=", {}),
        ("cost", {"cost_1.50": [1, 4], "cost_2.00": [2]}),
        ("cost=2.00,pay", {"cost_2.00_pay_Card": [2]}),
        ("two words=v", {"two words_v": [2]}),
        ("a:b=2", {"a:b_2": [3, 4]}),
        ("python=2", {"python_2": [2]}),
        # Expressions: true, not unknown.
        ("fare > 5", {"fare > 5": [2, 4]}),
        ("not  fare >\n5", {"not fare > 5": [1]}),
        ("pay = 'Cash'", {"pay = 'Cash'": [1, 3]}),
        ("pay='Cash'", {"pay='Cash'": [1, 3]}),
        ("fare==20", {"fare==20": [2]}),
        ("pay = 'Cash' and fare=5", {"pay = 'Cash' and fare=5": [1]}),
        ("fare=5 or fare=20", {"fare=5 or fare=20": [1, 2]}),
        ("fare is null", {"fare is null": [3]}),
        ("flag and fare > 1", {"flag and fare > 1": [1, 4]}),
        ("shop = 'a;b'; flag=true", {"shop = 'a;b'": [2], "flag_true": [1, 4]}),
        ("`two words` = 'v'", {"`two words` = 'v'": [2]}),
        ("pay in ('Card', 'None')", {"pay in ('Card', 'None')": [2]}),
        ("fare > 1000", {}),
        # With names.
        ("big: fare > 10", {"big": [2, 4]}),
        ("big one : fare=20;; ", {"big one": [2]}),
        ("odd: shop = 'a:b' or shop = 'a;b'", {"odd": [2]}),
        # Functions.
        ("python:far", {"far": [2, 4]}),
        ("python: by_pay", {"by_pay_cash": [1], "by_pay_card": [2]}),
        ("python:coded", {"coded_cash": [1], "coded_card": [2]}),
        ("", {}),
    ],
)
def test_what_a_text_gives(text, found):
    assert slices(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pey", "--slices: character 1: there is no column 'pey'; did you mean 'pay'?"),
        ("pay;pey=Blue Ribbon", "character 5: there is no column 'pey'; did you mean 'pay'?"),
        ("pay,pey", "character 1: there is no column 'pey'"),
        ("pay; fare > 5 and fere < 9", "character 19: there is no column 'fere'; did you mean 'fa"),
        ("big: fere > 5", "character 6: there is no column 'fere'"),
        ("fare > 5 and", "character 13: expected a value, found the end"),
        ("big: lower(pay)", "character 6: a slice is a condition, but this is TEXT"),
        ("fare + 1", "character 6: a slice is a condition, but this is FLOAT"),
        ("mean(fare) > 5", "character 1: mean() is of a whole column; a slice is of single rows"),
        ("pay > 5", "character 7: TEXT and INT can't be compared by '>'"),
        ("pay = 'Cash", "character 7: this text has no closing quote"),
        ("pay = Cash", "character 7: there is no column 'Cash'"),
        ("since > 1", "character 1: there is no column 'since'"),
        ("pay,pay", "name each column once"),
        ("pay,", "name each column once"),
        ("place", "column 'place' is struct<x: int64>: slices are by texts, numbers and the like"),
        ("All Examples: fare > 5", "'All Examples' are all rows: give the slice another name"),
        ("python:fra", "--code code.py: has no function 'fra'; did you mean 'far'?"),
        # Two that would be one.
        ("pay;pay", "some of those by 'pay' are asked for twice"),
        ("pay=Cash;pay", "some of those by 'pay' are asked for twice"),
        ("pay,flag=true;pay=Cash,flag", "some of those by 'pay,flag' are asked for twice"),
        ("x: fare > 5; x: fare > 6", "two slices are called 'x'"),
        ("fare > 5; fare  > 5", "two slices are called 'fare > 5'"),
        ("python:far;python:far", "python:far is there twice"),
    ],
)
def test_what_is_wrong_with_a_text(text, message):
    with pytest.raises(ConfigError) as error:
        parse_slices(text, BATCH.schema, CODE)
    assert message in str(error.value)


WORDS = "pay fare flag cost Cash 5 and or not = > < ' ` : ; , ( ) big python is null ''".split()


@given(st.lists(st.sampled_from([*WORDS, " "]), max_size=12).map("".join) | st.text(max_size=12))
def test_any_text_is_slices_or_a_config_error(text):
    try:
        slicers = parse_slices(text, BATCH.schema, CODE)
    except ConfigError:
        return
    for slicer in slicers:
        for _, part in slicer(BATCH):
            assert 0 < part.num_rows <= BATCH.num_rows


def test_different_values_of_one_column_go_together():
    assert slices("pay=Cash;pay=Card") == {"pay_Cash": [1, 3], "pay_Card": [2]}


def test_a_function_needs_its_file():
    with pytest.raises(ConfigError, match="character 5: python:far needs --code"):
        parse_slices("pay;python:far", BATCH.schema)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("numbers", r"numbers\(\) must return an Arrow array of texts or booleans, but returned d"),
        ("plain", r"plain\(\) must return an Arrow array of texts or booleans, but returned list"),
        ("short", r"short\(\) must return 4 texts or booleans, one a row, but gave 3"),
        ("fails", r"code.py: fails\(\) failed in line 24: ValueError$"),
    ],
)
def test_what_a_function_must_return(function, message):
    with pytest.raises(ConfigError, match=message) as error:
        slices(f"python:{function}")
    assert "Cash" not in str(error.value)


def test_a_worker_needs_no_file(tmp_path):
    slicers = parse_slices("big: fare > 10; python:far; pay", BATCH.schema, CODE)
    (tmp_path / "slicers").write_bytes(pickle.dumps(slicers))
    script = (
        "import pickle, pyarrow as pa;"
        f"slicers = pickle.load(open({str(tmp_path / 'slicers')!r}, 'rb'));"
        "batch = pa.record_batch({'fare': [20.0], 'pay': ['x']});"
        "print([name for slicer in slicers for name, _ in slicer(batch)])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "['big', 'far', 'pay_x']", done.stderr


def test_statistics_of_all_forms_in_a_pipeline():
    slicers = parse_slices("big: fare > 10; python:by_pay; pay", BATCH.schema, CODE)
    options = StatisticsOptions(slices=slicers)
    options.check(BATCH.schema)
    rows = BATCH.select(["fare", "pay"])
    (found,) = run_on([rows, rows], lambda batches: batches | GenerateStatistics(options))
    assert {data.name: data.num_examples for data in found.datasets} == {
        "All Examples": 8,
        "big": 4,
        "by_pay_cash": 2,
        "by_pay_card": 2,
        "pay_Cash": 4,
        "pay_Card": 2,
    }


def test_an_expression_and_a_value_of_one_name():
    options = StatisticsOptions(slices=parse_slices("pay_Card: fare > 10; pay", BATCH.schema))
    with pytest.raises(ConfigError, match="by 'fare > 10' and by 'pay' have a name in common"):
        statistics_of([BATCH.select(["fare", "pay"])], options)


def test_rows_of_a_batch_without_the_column_are_in_no_slice():
    options = StatisticsOptions(slices=parse_slices("big: fare > 10", BATCH.schema))
    found = statistics_of([BATCH.select(["fare"]), BATCH.select(["pay"])], options)
    assert [(data.name, data.num_examples) for data in found.datasets][1] == ("big", 2)
