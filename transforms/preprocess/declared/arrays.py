"""The operations of steps on numpy and Arrow arrays: while rows are analyzed."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.preprocess.declared.values import FLOAT, INT, TEXT


class Arrays:
    """What `Tensors` does in TensorFlow, on arrays: numbers in numpy, texts in Arrow.

    Attributes:
      feature: The name of the feature that is made.
    """

    feature = ""

    @staticmethod
    def dtype(values: Any) -> str:
        """Returns the type of values."""
        if isinstance(values, pa.Array):
            return TEXT
        return FLOAT if values.dtype.kind == "f" else INT

    @staticmethod
    def floats(values: np.ndarray) -> np.ndarray:
        """Returns numbers as floats of 32 bits."""
        return values.astype(np.float32, copy=False)

    @staticmethod
    def integers(values: np.ndarray) -> np.ndarray:
        """Returns numbers as integers."""
        return values.astype(np.int64, copy=False)

    where = staticmethod(np.where)
    minimum = staticmethod(np.minimum)
    maximum = staticmethod(np.maximum)

    @staticmethod
    def precisely(name: str, x: np.ndarray) -> np.ndarray:
        """Returns a function of floats, computed in doubles and rounded: the same bits everywhere.

        Floats of 32 bits differ in the last bit from library to library, and a value that is a
        boundary of a bucket would then be on another side in the graph than while it was analyzed.

        Args:
          name: log, log1p, sin, cos or exp.
          x: The floats.
        """
        with np.errstate(all="ignore"):
            made = getattr(np, name)(x.astype(np.float64))
            return np.asarray(made.astype(np.float32))

    @staticmethod
    def ratio(x: np.ndarray, y: Any) -> np.ndarray:
        """Returns x / y of floats, by way of doubles, for the same reason.

        TensorFlow turns a division by a constant into a multiplication.
        """
        with np.errstate(all="ignore"):
            return np.asarray((x.astype(np.float64) / np.float64(y)).astype(np.float32))

    @staticmethod
    def sqrt(x: Any) -> Any:
        """Returns square roots."""
        with np.errstate(all="ignore"):
            return np.sqrt(x)

    @staticmethod
    def sigmoid(x: np.ndarray) -> np.ndarray:
        """Returns 1 / (1 + exp(-x))."""
        with np.errstate(all="ignore"):
            return np.float32(1) / (np.float32(1) + Arrays.precisely("exp", -x))

    @staticmethod
    def buckets(x: np.ndarray, boundaries: np.ndarray) -> np.ndarray:
        """Returns how many boundaries are at or below each number; all of them for NaN."""
        return np.searchsorted(boundaries, x, side="right").astype(np.int64)

    @staticmethod
    def missing(values: Any, present: np.ndarray | None) -> np.ndarray | None:
        """Returns which values are missing or NaN; None if none can be."""
        missing = None if present is None else ~present
        if isinstance(values, pa.Array) or values.dtype.kind != "f":
            return missing
        nan = np.isnan(values)
        return np.asarray(nan if missing is None else missing | nan)

    @staticmethod
    def filled(values: Any, missing: np.ndarray, constant: Any) -> Any:
        """Returns the values with a constant where they are missing."""
        if isinstance(values, pa.Array):
            return pc.if_else(pa.array(missing), pa.scalar(constant, values.type), values)
        return np.where(missing, constant, values)

    @staticmethod
    def lookup(
        values: Any, vocabulary: Any, num_oov_buckets: int, default_value: int, name: str
    ) -> tuple[np.ndarray, int]:
        """Returns the places of values in a vocabulary, and how many categories there are."""
        from transforms.preprocess.figures.counts import texts_of

        texts = texts_of(values if isinstance(values, pa.Array) else pa.array(values))
        places = pc.index_in(texts, value_set=vocabulary.values)
        unknown = len(vocabulary) if num_oov_buckets else default_value
        made = places.cast(pa.int64()).fill_null(unknown).to_numpy()
        return made, len(vocabulary) + num_oov_buckets
