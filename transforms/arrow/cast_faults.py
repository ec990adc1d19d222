"""What a cast makes of a column: values, and which rows are at fault and why."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.faults import Fault
from transforms.reasons import Reason


@dataclass(frozen=True)
class Cast:
    """A column after a cast.

    Attributes:
      values: n values of the wanted type, null where the cast failed.
      faults: Which values failed, for each reason met; they name no column, and have no message.
    """

    values: pa.Array
    faults: tuple[Fault, ...] = ()

    @property
    def bad(self) -> np.ndarray | None:
        """N booleans, true where the cast failed; None where it never did."""
        if not self.faults:
            return None
        bad: np.ndarray = np.logical_or.reduce([fault.mask for fault in self.faults])
        return bad

    @property
    def reason(self) -> Reason:
        """The first reason."""
        return self.faults[0].reason


def marked(values: pa.Array, *faults: Fault) -> Cast:
    """Returns the cast with the faults that did occur, each row under its first fault."""
    taken = np.zeros(len(values), bool)
    kept = []
    for fault in faults:
        new = fault.mask & ~taken
        taken |= new
        if new.any():
            kept.append(Fault(new, fault.reason))
    if taken.any():
        values = null_where(values, taken)
    return Cast(values, tuple(kept))


def null_where(values: pa.Array, mask: np.ndarray) -> pa.Array:
    """Returns the values, with null where the mask is true."""
    return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)


def true_where(mask: pa.Array) -> np.ndarray:
    """Booleans as numpy; null is false."""
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool)


def attempt(array: pa.Array, type: pa.DataType, reason: Reason) -> Cast:
    """Arrow's own checked cast; where it fails, halves find the values at fault."""
    try:
        return Cast(array.cast(type, safe=True))
    except pa.ArrowNotImplementedError:
        return wrong_type(array, type)
    except pa.ArrowInvalid:
        pass
    bad = np.zeros(len(array), bool)
    pieces = list(_halved(array, type, bad, 0))
    return marked(pa.concat_arrays(pieces), Fault(bad, reason))


def _halved(array: pa.Array, type: pa.DataType, bad: np.ndarray, start: int) -> list[pa.Array]:
    try:
        return [array.cast(type, safe=True)]
    except pa.ArrowInvalid:
        if len(array) == 1:
            bad[start] = True
            return [pa.nulls(1, type)]
    half = len(array) // 2
    left = _halved(array.slice(0, half), type, bad, start)
    return left + _halved(array.slice(half), type, bad, start + half)


def wrong_type(array: pa.Array, type: pa.DataType) -> Cast:
    """Returns the cast of a column in which no value can become the type."""
    return marked(
        pa.nulls(len(array), type), Fault(true_where(array.is_valid()), Reason.WRONG_TYPE)
    )
