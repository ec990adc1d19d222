"""The preview of rows on a terminal."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.commit.stdout import table_text

ROWS = pa.table(
    {
        **{f"input_{at}": [f"some text {at}"] for at in range(6)},
        "tip": [1.25],
        "class": ["cash"],
        "score_of_cash": [0.75],
        "score_of_card": [0.25],
        "model_version": ["3"],
    }
)
ADDED = tuple(ROWS.column_names[6:])


def head(width, in_sight=ADDED):
    return table_text(ROWS, width, in_sight).splitlines()[0].split()


def test_input_columns_give_way_to_predictions():
    assert head(200) == ROWS.column_names
    assert head(80) == ["input_0", *ADDED]
    assert head(60) == [*ADDED]
    assert head(45) == ["tip", "class", "score_of_cash", "score_of_card"]
    assert head(45, ()) == ["input_0", "input_1", "input_2"]
    hidden = table_text(ROWS, 80, ADDED).splitlines()[-1]
    assert hidden == "(5 more columns: input_1, input_2, input_3, input_4, input_5)"


@given(st.integers(1, 250))
def test_no_input_is_shown_where_a_prediction_is_not(width):
    shown = head(width)
    assert shown == [name for name in ROWS.column_names if name in shown]
    assert set(ADDED) <= set(shown) or set(shown) <= set(ADDED)
    table = table_text(ROWS, width, ADDED).splitlines()
    assert max(map(len, table[:3])) <= max(width, 14)
