"""Figures of quality from sums: accuracy, AUC, losses, calibration; estimates without labels."""

from dataclasses import dataclass

import numpy as np

from transforms.drift.quality.sums import (
    BINARY,
    BINS,
    CLASSES,
    REGRESSION,
    Array,
    Quality,
    Sums,
)

_NAN = float("nan")
_CALIBRATION = 10
"""In so many parts of the scores these are compared with the share of labels."""


@dataclass(frozen=True)
class Metrics:
    """Figures of the rows that have labels; NaN where the task has no such figure.

    Attributes:
      error: What the monitor watches: the share of wrong predictions, or of regression the mean
        squared error; the less the better.
      variance: That of the error of one row.
      accuracy, auc, log_loss, calibration_error: Of binary; of classes the first. The AUC is that
        of the bins, and half of those in the same bin count as in order.
      rmse, mae, bias: Of regression: root mean squared error, mean absolute one, mean error.
    """

    error: float
    variance: float
    accuracy: float = _NAN
    auc: float = _NAN
    log_loss: float = _NAN
    calibration_error: float = _NAN
    rmse: float = _NAN
    mae: float = _NAN
    bias: float = _NAN


def metrics_of(task: str, sums: Sums) -> Metrics:
    """Returns the figures of some rows; NaN without labels."""
    number = sums.labelled
    if not number:
        return Metrics(_NAN, _NAN)
    if task == CLASSES:
        right = int(sums.counts[2].sum()) / number
        return Metrics(1 - right, right * (1 - right), right)
    if task == BINARY:
        return _of_binary(sums, number)
    bias, mae, square, fourth = (sums.sums[:4] / number).tolist()
    variance = max(fourth - square**2, 0.0)
    return Metrics(square, variance, rmse=square**0.5, mae=mae, bias=bias)


def _of_binary(sums: Sums, number: int) -> Metrics:
    zeros, ones = sums.counts[1].astype(np.float64), sums.counts[2].astype(np.float64)
    half = BINS // 2
    right = float(zeros[:half].sum() + ones[half:].sum()) / number
    return Metrics(
        1 - right,
        right * (1 - right),
        right,
        auc_of(zeros, ones),
        float(sums.sums[0]) / number,
        _calibration_error(sums, number),
    )


def auc_of(zeros: Array, ones: Array) -> float:
    """Returns the share of pairs of a 0 and a 1 that scores put in order.

    Args:
      zeros: By bin of the score, how many labels are 0, or how likely they are.
      ones: The same of 1.
    """
    below = np.cumsum(zeros) - zeros
    pairs = zeros.sum() * ones.sum()
    return float((ones * (below + zeros / 2)).sum() / pairs) if pairs else _NAN


def _calibration_error(sums: Sums, number: int) -> float:
    """Returns the mean distance of scores from the share of labels that are 1, over ten parts."""
    parts = [
        each.reshape(_CALIBRATION, -1).sum(axis=1)
        for each in (sums.counts[1], sums.counts[2], sums.sums[2:])
    ]
    zeros, ones, scores = parts
    return float(np.abs(scores - ones).sum() / number) if (zeros + ones).any() else _NAN


@dataclass(frozen=True)
class Estimate:
    """What is likely without labels, by how predictions and labels went together in the baseline.

    Of scores and classes it is the estimate by calibrated probabilities (W. Kuberski et al.,
    NannyML's CBPE); of numbers that by the loss which predictions of that size had. It knows of
    rows that are harder, and not of labels that follow another rule.

    Attributes:
      accuracy: The likely one, of binary and classes.
      auc: The likely one, of binary.
      rmse: The likely one, of regression.
    """

    accuracy: float = _NAN
    auc: float = _NAN
    rmse: float = _NAN


def estimate(quality: Quality, window: Sums, baseline: Sums) -> Estimate:
    """Returns what is likely of a window; NaN where nothing is known.

    Args:
      quality: What is predicted.
      window: Of the window's rows, with or without labels.
      baseline: Of rows with labels.
    """
    rows, counts = window.rows, window.counts[0].astype(np.float64)
    if not rows or not baseline.labelled:
        return Estimate()
    if quality.task == REGRESSION:
        return Estimate(rmse=float((counts * _losses(baseline)).sum() / rows) ** 0.5)
    if quality.task == CLASSES:
        right = _by_class(baseline) if quality.confidence is None else calibrated(baseline)
        return Estimate(float((counts * right).sum() / rows))
    ones = counts * calibrated(baseline)
    zeros = counts - ones
    half = BINS // 2
    found = float(zeros[:half].sum() + ones[half:].sum()) / rows
    return Estimate(found, auc_of(zeros, ones))


def _by_class(baseline: Sums) -> Array:
    """Returns by bin how often its classes were right; those that are new are as all are."""
    wrong, right = baseline.counts[1] + 0.0, baseline.counts[2] + 0.0
    whole = right.sum() / (wrong + right).sum()
    found: Array = (right + whole) / (wrong + right + 1)
    return found


def _losses(baseline: Sums) -> Array:
    """Returns by bin the mean squared error; of sizes that are new that of the next ones."""
    number = baseline.counts[2]
    there = np.flatnonzero(number)
    found: Array = np.interp(
        np.arange(len(number)), there, baseline.sums[4:][there] / number[there]
    )
    return found


def calibrated(baseline: Sums) -> Array:
    """Returns by bin how likely the label is 1, or a class is right: never less in a higher bin.

    Bins that lie against the order are joined (isotonic regression by pooling neighbours); half a
    row of each label is added, and bins without rows take what lies between.
    """
    zeros, ones = baseline.counts[1] + 0.0, baseline.counts[2] + 0.0
    number = zeros + ones
    there = np.flatnonzero(number)
    blocks: list[list[float]] = []
    for at in there.tolist():
        blocks.append([ones[at], number[at], 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    shares = np.repeat(
        [(one + 0.5) / (total + 1) for one, total, _ in blocks],
        [int(size) for _, _, size in blocks],
    )
    found: Array = np.interp(np.arange(BINS), there, shares)
    return found
