"""The operations of steps on numpy and Arrow arrays: while rows are analyzed."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.preprocess.declared.values import FLOAT, INT, TEXT, Many, One, Vector
from transforms.preprocess.figures.counts import texts_of


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
            return np.asarray((1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32))

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
        texts = texts_of(values if isinstance(values, pa.Array) else pa.array(values))
        places = pc.index_in(texts, value_set=vocabulary.values)
        unknown = len(vocabulary) if num_oov_buckets else default_value
        made = places.cast(pa.int64()).fill_null(unknown).to_numpy()
        return made, len(vocabulary) + num_oov_buckets

    @staticmethod
    def texts(values: Any) -> pa.Array:
        """Returns texts or integers as texts."""
        if isinstance(values, pa.Array):
            return values
        return texts_of(pa.array(values)).cast(pa.binary())

    @staticmethod
    def joined(texts: list[pa.Array], separator: str) -> pa.Array:
        """Returns texts that follow each other as one, row by row; null if one is."""
        return pc.binary_join_element_wise(*texts, pa.scalar(separator.encode(), pa.binary()))

    @staticmethod
    def all_present(masks: list[np.ndarray | None]) -> np.ndarray | None:
        """Returns which rows have a value in each column; None if all have."""
        known = [mask for mask in masks if mask is not None]
        return np.logical_and.reduce(known) if known else None

    @staticmethod
    def lower(values: pa.Array) -> pa.Array:
        """Returns texts with A to Z in lower case."""
        return pc.ascii_lower(values.view(pa.string())).view(pa.binary())

    @staticmethod
    def split(value: One, separator: str | None) -> Many:
        """Returns the words of texts."""
        texts = value.values.view(pa.string())
        if separator is None:
            words = pc.ascii_split_whitespace(texts)
        else:
            words = pc.split_pattern(texts, separator)
        rows = pc.list_parent_indices(words).to_numpy().astype(np.int64)
        found = words.flatten()
        if separator is None:
            there = pc.greater(pc.binary_length(found), 0)
            found, rows = found.filter(there), rows[there.to_numpy(zero_copy_only=False)]
        return Many(found.view(pa.binary()), rows, len(texts))

    @staticmethod
    def ngrams(value: Many, lengths: tuple[int, ...], separator: str) -> Many:
        """Returns words that follow each other in a row, joined; all of one length, then longer."""
        values, rows = [], []
        number = len(value.rows)
        for length in range(lengths[0], lengths[1] + 1):
            starts = np.arange(max(0, number - length + 1))
            starts = starts[value.rows[starts] == value.rows[starts + length - 1]]
            words = [value.values.take(pa.array(starts + at)) for at in range(length)]
            values.append(Arrays.joined(words, separator))
            rows.append(value.rows[starts])
        together = np.concatenate(rows)
        order = np.argsort(together, kind="stable")
        return Many(pa.concat_arrays(values).take(pa.array(order)), together[order], value.count)

    @staticmethod
    def hot(value: One | Many, size: int) -> np.ndarray:
        """Returns n rows of zeros, with ones at the categories."""
        if isinstance(value, One):
            rows, count = np.arange(len(value.values)), len(value.values)
            known = np.ones(count, bool) if value.present is None else value.present
        else:
            rows, count, known = value.rows, value.count, np.ones(len(value.rows), bool)
        known = known & (value.values >= 0) & (value.values < size)
        made = np.zeros((count, size), np.float32)
        made[rows[known], value.values[known]] = 1
        return made

    @staticmethod
    def matrix(value: Any) -> np.ndarray:
        """Returns columns of numbers, or vectors, as n rows of floats."""
        if isinstance(value, Vector):
            return Arrays.floats(value.values)
        return np.column_stack([Arrays.floats(each.values) for each in value])

    @staticmethod
    def projected(x: np.ndarray, directions: np.ndarray | None, size: int) -> np.ndarray:
        """Returns n rows of k numbers by directions of k: n rows of `size`."""
        if directions is None:
            return np.zeros((len(x), size), np.float32)
        return np.asarray(x @ directions)

    @staticmethod
    def circle(x: np.ndarray, period: Any) -> np.ndarray:
        """Returns sine and cosine of x / period of a whole turn: n rows of two floats."""
        angle = x.astype(np.float64) / period * (2 * np.pi)
        return np.column_stack([np.sin(angle), np.cos(angle)]).astype(np.float32)
