"""Sums of predictions and labels: they add up, in any order, and give every figure of quality."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.arrow.number_casts import doubles
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_hash

BINARY, CLASSES, REGRESSION = "binary", "classes", "regression"
TASKS = (BINARY, CLASSES, REGRESSION)
BINS = 200
"""Into so many parts of equal width scores from 0 to 1 are counted; a half is an edge."""
_LEAST = 1e-15
_DOUBLINGS = (-10, 30)
_STEPS = 4
SIZES = 2 * (_DOUBLINGS[1] - _DOUBLINGS[0]) * _STEPS + 1
"""Numbers that are predicted are counted by sign and size: four parts for each doubling."""
_WIDTHS = {BINARY: BINS, CLASSES: BINS, REGRESSION: SIZES}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """What is predicted.

    Attributes:
      task: "binary": a score from 0 to 1 of a label that is 0 or 1, or true or false; "classes": a
        text or number that should be equal to the label; "regression": a number that should be
        near it.
      prediction: The column of predictions.
      label: The column of labels.
      confidence: Of classes: the column of how sure the model is of its prediction, from 0 to 1, if
        there is one.
    """

    task: str
    prediction: str
    label: str
    confidence: str | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ConfigError(f"task: {self.task!r} is unknown; known are {', '.join(TASKS)}")
        if self.prediction == self.label:
            raise ConfigError(f"{self.label!r} can't be prediction and label at once")
        if self.confidence is not None and self.task != CLASSES:
            raise ConfigError(f"confidence is for classes: of {self.task} the prediction tells it")

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that come with the predictions."""
        return (self.prediction, *([] if self.confidence is None else [self.confidence]))


@dataclass(frozen=True)
class Sums:
    """What is known of some rows.

    Attributes:
      counts: By bin. Of binary, by the score: of all rows, then of those whose label is 0, then 1.
        Of classes, by the confidence, or else by a hash of the class: all rows, those that are
        wrong, those that are right. Of regression, by the size of what is predicted: all rows,
        none, those with a label.
      sums: Of binary the log losses, the squared errors, and by bin the scores of rows with labels;
        of regression the errors, their absolutes, squares and fourth powers, and by bin the
        squares.
    """

    counts: NDArray[np.int64]
    sums: Array

    @classmethod
    def empty(cls, task: str) -> "Sums":
        """Returns those of no rows."""
        number = {BINARY: 2 + BINS, CLASSES: 0, REGRESSION: 4 + SIZES}[task]
        return cls(np.zeros((3, _WIDTHS[task]), np.int64), np.zeros(number))

    @property
    def rows(self) -> int:
        """How many rows have a prediction."""
        return int(self.counts[0].sum())

    @property
    def labelled(self) -> int:
        """How many of them have a label."""
        return int(self.counts[1:].sum())

    def merge(self, other: "Sums") -> "Sums":
        """Returns the sums of the rows of both."""
        return Sums(self.counts + other.counts, self.sums + other.sums)

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return int(self.counts.nbytes + self.sums.nbytes) + 200

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickles counts no wider than the greatest of them is."""
        width = np.min_scalar_type(int(self.counts.max(initial=0)))
        return _unpickled, (self.counts.astype(width), self.sums)


def _unpickled(counts: NDArray[Any], sums: Array) -> Sums:
    return Sums(counts.astype(np.int64), sums)


def sums_of(quality: Quality, rows: pa.RecordBatch) -> Sums:
    """Returns the sums of rows.

    Args:
      quality: What is predicted.
      rows: n rows with the prediction, and with the label, which may be null where it is not known,
        or absent. Rows without a prediction, NaN included, do not count.

    Raises:
      ConfigError: A column is of a type that does not fit the task, or a score is not from 0 to 1.
    """
    predictions = rows.column(quality.prediction)
    at = rows.schema.get_field_index(quality.label)
    labels = pa.nulls(rows.num_rows) if at < 0 else rows.column(at)
    if quality.task == CLASSES:
        return _of_classes(quality, rows, predictions, labels)
    given, known = _numbers(quality.prediction, predictions), _numbers(quality.label, labels)
    there = ~np.isnan(given)
    return _TASKS[quality.task](quality, given[there], known[there])


def _of_classes(
    quality: Quality, rows: pa.RecordBatch, predictions: pa.Array, labels: pa.Array
) -> Sums:
    made = Sums.empty(CLASSES)
    there = predictions.is_valid()
    bins = _bins_of_classes(quality, rows)[there.to_numpy(zero_copy_only=False)]
    text = [each.filter(there).cast(pa.string()) for each in (predictions, labels)]
    right = pc.equal(*text)
    made.counts[0] = np.bincount(bins, minlength=BINS)
    for row, mask in ((1, pc.invert(right)), (2, right)):
        some = mask.fill_null(False).to_numpy(zero_copy_only=False)
        made.counts[row] = np.bincount(bins[some], minlength=BINS)
    return made


def _bins_of_classes(quality: Quality, rows: pa.RecordBatch) -> NDArray[np.int64]:
    if quality.confidence is None:
        hashed: NDArray[np.int64] = (
            key_hash(rows, (quality.prediction,)) % np.uint64(BINS)
        ).astype(np.int64)
        return hashed
    sure = _numbers(quality.confidence, rows.column(quality.confidence))
    if ((sure < 0) | (sure > 1)).any():
        raise ConfigError(f"column {quality.confidence!r} is not from 0 to 1")
    return np.minimum((np.nan_to_num(sure) * BINS).astype(np.int64), BINS - 1)


def _of_binary(quality: Quality, scores: Array, labels: Array) -> Sums:
    if ((scores < 0) | (scores > 1)).any():
        raise ConfigError(f"column {quality.prediction!r} has scores that are not from 0 to 1")
    known = ~np.isnan(labels)
    if not np.isin(labels[known], (0.0, 1.0)).all():
        raise ConfigError(f"column {quality.label!r} has labels that are not 0 or 1")
    made = Sums.empty(BINARY)
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    made.counts[0] = np.bincount(bins, minlength=BINS)
    for row, value in ((1, 0), (2, 1)):
        made.counts[row] = np.bincount(bins[labels == value], minlength=BINS)
    score, label = scores[known], labels[known]
    likely = np.clip(np.where(label == 1, score, 1 - score), _LEAST, 1)
    made.sums[0] = -np.log(likely).sum()
    made.sums[1] = ((score - label) ** 2).sum()
    made.sums[2:] = np.bincount(bins[known], score, BINS)
    return made


def _of_regression(quality: Quality, predicted: Array, labels: Array) -> Sums:
    made = Sums.empty(REGRESSION)
    known = np.isfinite(labels) & np.isfinite(predicted)
    errors = predicted[known] - labels[known]
    bins = size_bins(predicted)
    made.counts[0] = np.bincount(bins, minlength=SIZES)
    made.counts[2] = np.bincount(bins[known], minlength=SIZES)
    squares = errors**2
    parts = (errors, np.abs(errors), squares, squares**2)
    made.sums[:4] = [part.sum() for part in parts]
    made.sums[4:] = np.bincount(bins[known], squares, SIZES)
    return made


def size_bins(numbers: Array) -> NDArray[np.int64]:
    """Returns the bin of each number by its sign and size, so that bins rise with the numbers.

    Of a number without end it is the outermost one.
    """
    least, most = _DOUBLINGS
    mantissa, doublings = np.frexp(np.clip(np.abs(numbers), 0, 2.0**most))
    within = ((mantissa - 0.5) * 2 * _STEPS).astype(np.int64)
    place = (doublings - 1 - least) * _STEPS + within + 1
    half = SIZES // 2
    place = np.where(np.abs(numbers) < 2.0**least, 0, np.clip(place, 1, half))
    found: NDArray[np.int64] = (half + np.sign(numbers) * place).astype(np.int64)
    return found


_TASKS = {BINARY: _of_binary, REGRESSION: _of_regression}


def _numbers(name: str, array: pa.Array) -> Array:
    """Returns doubles, NaN for null.

    A prediction of a model that gives one number to a row may be a list of one.
    """
    type = array.type
    if pa.types.is_null(type):
        return np.full(len(array), np.nan)
    is_number = pa.types.is_integer(type) or pa.types.is_floating(type)
    if not (is_number or pa.types.is_boolean(type) or pa.types.is_decimal(type)):
        raise ConfigError(f"column {name!r} is {type}, and should be a number")
    found: Array = doubles(array).to_numpy(zero_copy_only=False)
    return found
