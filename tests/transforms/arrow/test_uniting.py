"""Schemas of several files as one that holds the values of all."""

from decimal import Decimal

import pyarrow as pa
import pytest

from transforms.arrow.casts import checked_cast
from transforms.arrow.uniting import unite_schemas

CENTS = pa.decimal128(3, 2)


def united(one, other):
    """The type of both, whichever comes first."""
    first, second = (pa.schema([("x", type)]) for type in (one, other))
    found = unite_schemas(first, second).field("x").type
    assert unite_schemas(second, first).field("x").type == found
    return found


@pytest.mark.parametrize("integer", [pa.int8(), pa.uint16(), pa.int32(), pa.int64(), pa.uint64()])
@pytest.mark.parametrize("decimal", [CENTS, pa.decimal128(38, 2), pa.decimal256(60, 50)])
def test_integers_beside_decimals_become_decimals_that_hold_both(integer, decimal):
    type = united(integer, decimal)
    greatest = 2 ** (integer.bit_width - (not str(integer).startswith("u"))) - 1
    whole = checked_cast(pa.array([greatest, None], integer), type)
    assert not whole.faults
    assert whole.values.to_pylist() == [Decimal(greatest), None]
    least = Decimal(1).scaleb(-decimal.scale)
    fraction = checked_cast(pa.array([least], decimal), type)
    assert not fraction.faults
    assert fraction.values.to_pylist() == [least]


def test_the_decimal_has_no_more_digits_than_it_needs():
    assert united(pa.int64(), CENTS) == pa.decimal128(21, 2)
    assert united(pa.int8(), pa.decimal128(38, 2)) == pa.decimal128(38, 2)


def test_nested_integers_beside_nested_decimals():
    assert united(pa.list_(pa.int64()), pa.list_(CENTS)) == pa.list_(pa.decimal128(21, 2))
    one, other = pa.struct([("a", pa.int64())]), pa.struct([("a", CENTS)])
    assert united(one, other) == pa.struct([("a", pa.decimal128(21, 2))])
    one, other = (pa.map_(pa.string(), type) for type in (pa.int64(), CENTS))
    assert united(one, other) == pa.map_(pa.string(), pa.decimal128(21, 2))


def test_what_no_decimal_holds_can_not_be_united():
    with pytest.raises(pa.ArrowInvalid, match="no decimal"):
        united(pa.int64(), pa.decimal256(76, 60))


def test_everything_else_is_united_as_arrow_does():
    assert united(pa.int32(), pa.int64()) == pa.int64()
    assert united(pa.int64(), pa.float32()) == pa.float64()
    with pytest.raises(pa.ArrowTypeError):
        united(pa.bool_(), pa.string())
