"""Casts between numbers that point out what would be lost."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast, marked, null_where, true_where
from transforms.faults import Fault
from transforms.reasons import Reason


def whole_numbers(array: pa.Array, type: pa.DataType) -> Cast:
    """Floats to integers: what has a fraction is lossy, what is too large overflows."""
    if pa.types.is_float16(array.type):
        # Arrow has no arithmetic of 16 bits.
        array = array.cast(pa.float32())
    finite = pc.is_finite(array)
    fraction = pc.and_(finite, pc.not_equal(pc.floor(array), array))
    lossy = true_where(pc.or_(fraction, pc.invert(finite)))
    low, high = _bounds(type)
    # One past the highest is a power of two, which floats hold exactly.
    far = pc.or_(pc.less(array, float(low)), pc.greater_equal(array, float(high + 1)))
    overflow = true_where(far) & ~lossy
    kept = null_where(array, lossy | overflow) if (lossy | overflow).any() else array
    values = kept.cast(type)
    return marked(values, Fault(lossy, Reason.LOSSY_CAST), Fault(overflow, Reason.OVERFLOW))


def doubles(array: pa.Array) -> pa.Array:
    """Numbers as doubles, each the nearest one; NaN, infinity and null stay.

    Args:
      array: n integers, floats, booleans or decimals.
    """
    if pa.types.is_decimal(array.type):
        # Arrow divides them by a power of ten, which rounds twice; texts it reads exactly.
        array = array.cast(pa.string())
    return array.cast(pa.float64(), safe=False)


def narrow(array: pa.Array, type: pa.DataType) -> Cast:
    """Floats to floats: rounded; what becomes infinite overflows."""
    values = array.cast(type, safe=False)
    if type.bit_width >= array.type.bit_width:
        return Cast(values)
    infinite = pc.is_inf(values.cast(pa.float64()) if type == pa.float16() else values)
    if not pc.any(infinite).as_py():
        return Cast(values)
    return marked(
        values, Fault(true_where(pc.and_not(infinite, pc.is_inf(array))), Reason.OVERFLOW)
    )


def integers(array: pa.Array, type: pa.DataType) -> Cast:
    """Integers to integers: what is out of range overflows."""
    return _within(array, type, *_bounds(type), Reason.OVERFLOW)


def exact_floats(array: pa.Array, type: pa.DataType) -> Cast:
    """Integers to floats: what the float can't tell from its neighbours is lossy."""
    exact = 1 << {16: 11, 32: 24, 64: 53}[type.bit_width]
    return _within(array, type, -exact, exact, Reason.LOSSY_CAST)


def _within(array: pa.Array, type: pa.DataType, low: int, high: int, reason: Reason) -> Cast:
    least, most = _bounds(array.type)
    below = pc.less(array, pa.scalar(max(low, least), array.type))
    above = pc.greater(array, pa.scalar(min(high, most), array.type))
    far = true_where(pc.or_(below, above))
    return marked((null_where(array, far) if far.any() else array).cast(type), Fault(far, reason))


def _bounds(type: pa.DataType) -> tuple[int, int]:
    """Returns the least and the greatest value of an integer type."""
    if pa.types.is_unsigned_integer(type):
        return 0, (1 << type.bit_width) - 1
    return -(1 << (type.bit_width - 1)), (1 << (type.bit_width - 1)) - 1


def bits(array: pa.Array, type: pa.DataType) -> Cast:
    """Numbers to booleans: 0 or 1."""
    bit = pc.is_in(array, value_set=pa.array([0, 1], array.type))
    lossy = true_where(pc.and_not(array.is_valid(), bit))
    return marked(array.cast(type), Fault(lossy, Reason.LOSSY_CAST))
