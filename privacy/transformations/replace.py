"""One text for every value: a given one, the infoType's name in brackets, or nothing."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.transformations.transformation import no_faults


@dataclass(frozen=True)
class Replace:
    """Puts one text in the place of each value.

    Attributes:
      text: What is put there; an empty one redacts.
    """

    text: str

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Replaces n texts; null stays null."""
        new = pa.repeat(pa.scalar(self.text, pa.string()), len(values))
        if values.null_count:
            new = pc.if_else(values.is_valid(), new, pa.scalar(None, pa.string()))
        return new, no_faults(values)
