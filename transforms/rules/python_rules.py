"""Rules in Python: a function of a batch that is true, false or unknown of each row."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.faults import Violation
from transforms.reasons import Reason
from transforms.rules.row_rules import where_false
from transforms.user_code import Code, checked_result


@dataclass(frozen=True)
class PythonRule:
    """A function that takes a RecordBatch of n rows and returns n booleans as an Arrow array.

    False violates the rule; null, unknown, does not.

    Attributes:
      function: Its name.
      code: The file that defines it.
    """

    function: str
    code: Code

    def __post_init__(self) -> None:
        self.code.check(self.function)

    @property
    def name(self) -> str:
        """What violations call it."""
        return self.function

    @property
    def violation(self) -> Violation:
        """The message for a row that violates it."""
        why = f"rule {self.function!r} does not hold"
        return Violation(Reason.RULE_VIOLATED, None, why, self.name)

    def broken(self, batch: pa.RecordBatch) -> np.ndarray | None:
        """Returns n booleans, true where a row breaks the rule; None if no row does.

        Raises:
          ConfigError: It failed, or returned something else.
        """
        what, result = self.code.call(self.function, batch)
        return where_false(
            checked_result(result, batch.num_rows, what, "booleans", pa.types.is_boolean)
        )
