"""Faults: the faults of rows, and the rows that have them."""

from dataclasses import dataclass, replace

import numpy as np

from transforms.reasons import Reason


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong with a row.

    Attributes:
      reason: A stable code.
      column: The column at fault; None where it is about several.
      message: What is wrong, for a person; it holds no value of the row.
      rule: The name of the custom rule that the row breaks; None where there is none.
    """

    reason: Reason
    column: str | None
    message: str
    rule: str | None = None

    def at(self, mask: np.ndarray) -> "Fault":
        """Returns the fault of the rows where a mask is true."""
        return Fault(mask, self.reason, self.column, self.message, self.rule)


@dataclass(frozen=True, eq=False)
class Fault:
    """One thing that is wrong with some rows of a batch.

    Attributes:
      mask: n booleans, true at the rows at fault.
      reason: A stable code.
      column: The column at fault; None where it is about several, or is not known here.
      message: What is wrong, for a person; it holds no value of a row.
      rule: The name of the custom rule that the rows break; None where there is none.
    """

    mask: np.ndarray
    reason: Reason
    column: str | None = None
    message: str = ""
    rule: str | None = None

    def over(self, mask: np.ndarray) -> "Fault":
        """Returns the same fault of other rows."""
        return replace(self, mask=mask)

    @property
    def violation(self) -> Violation:
        """What is wrong, without the rows."""
        return Violation(self.reason, self.column, self.message, self.rule)
