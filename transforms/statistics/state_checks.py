"""Checks a stored state, so that it can be merged and described like one made here."""

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow.compute as pc

from transforms.keys import least_hashes
from transforms.metadata.columns import INT64
from transforms.statistics.composite import CompositeCounts
from transforms.statistics.dataset import MAX_SLICES, MOST_WEIGHT, WHOLE, Dataset
from transforms.statistics.feature import Feature
from transforms.statistics.images import Images
from transforms.statistics.language import Language, Occurrences
from transforms.statistics.numbers import Numbers, Weights
from transforms.statistics.pairs import MOST, SUMS, Pairs
from transforms.statistics.semantics import LOOKED_AT, Sample
from transforms.statistics.sketches.moments import Moments
from transforms.statistics.sketches.presence import Presence
from transforms.statistics.sketches.summary import QuantileSummary, Weighted
from transforms.statistics.sketches.value_counts import ValueCounts
from transforms.statistics.texts import Texts

_MOST = 2**53
"""Of nothing there is more: sums of a thousand such numbers still fit in 64 bits."""
_MOST_LEVELS = 64
_MOST_WEIGHT = 1e300
"""What lies in lists weighs what their rows do, together more than `dataset.MOST_WEIGHT`."""


def check(made: Any) -> None:
    """Checks an object that was read: its own figures, not those of the objects in it.

    Raises:
      ValueError: It may not.
    """
    if type(made) in _CHECKS:
        _ask(_CHECKS[type(made)](made))


def check_slices(slices: dict[str, Dataset]) -> None:
    """Checks slices whose objects were checked before.

    Raises:
      ValueError: They may not.
    """
    _ask([WHOLE in slices, len(slices) <= MAX_SLICES + 1])


def _ask(conditions: Iterable[bool]) -> None:
    if not all(conditions):
        raise ValueError


def _counts(*numbers: int) -> bool:
    return all(0 <= number <= _MOST for number in numbers)


def _dataset(made: Dataset) -> Iterable[bool]:
    yield _counts(made.rows)
    yield 0 <= made.weight <= MOST_WEIGHT
    for name, feature in made.features.items():
        yield _leads_to(feature, (name,))
        yield all(each.present <= made.rows for each in (feature.rows, *feature.levels[:1]))
    for key, together in made.composites.items():
        parts = json.loads(key)
        yield len(together.missing) in (0, len(parts) - 2)


def _leads_to(feature: Feature, path: tuple[str, ...]) -> bool:
    inner = feature.fields.items()
    return feature.path == path and all(_leads_to(each, (*path, name)) for name, each in inner)


def _feature(made: Feature) -> Iterable[bool]:
    yield len(made.levels) <= _MOST_LEVELS


def _presence(made: Presence) -> Iterable[bool]:
    yield _counts(made.present, made.missing, made.total)
    weights = (made.weight_present, made.weight_missing, made.weight_total)
    yield all(abs(weight) <= _MOST_WEIGHT for weight in weights)
    yield _are_lengths(made.lengths)
    yield not made.present or bool(len(made.lengths.table()[0]))


def _are_lengths(summary: QuantileSummary) -> bool:
    tables = [values for values, _ in _tables(summary)]
    return all(values.dtype == np.int64 and (values >= 0).all() for values in tables)


def _tables(summary: QuantileSummary) -> list[Weighted]:
    return [summary.latest, *summary.levels.values()]


def _summary(made: QuantileSummary) -> Iterable[bool]:
    yield 0 <= made.error <= _MOST_WEIGHT
    yield all(0 <= level <= _MOST_LEVELS for level in made.levels)
    yield all(len(values) for values, _ in made.levels.values())
    for values, weights in _tables(made):
        yield _are_weights(weights, len(values))
        yield values.ndim == 1 and values.dtype in (np.int64, np.float64)
        yield bool(np.isfinite(values).all() and (values[1:] > values[:-1]).all())


def _are_weights(weights: np.ndarray, number: int) -> bool:
    if weights.shape != (number,) or weights.dtype not in (np.int64, np.float64):
        return False
    most = _MOST if weights.dtype == np.int64 else _MOST_WEIGHT
    return bool(((weights >= 0) & (weights <= most)).all())


def _moments(made: Moments) -> Iterable[bool]:
    yield 0 <= made.weight <= _MOST_WEIGHT
    yield all(map(math.isfinite, (made.mean, made.rest, made.deviation)))
    yield made.deviation >= 0


def _numbers(made: Numbers) -> Iterable[bool]:
    yield _counts(made.zeros, made.nan, made.below, made.above)
    yield abs(made.total) <= 2**120
    low, high = made.ends or (0, 0)
    yield math.isfinite(low) and math.isfinite(high) and low <= high
    yield all(type(end) is float or abs(end) <= 2**64 for end in (low, high))
    if made.integers:
        yield all(values.dtype == np.int64 for values, _ in _tables(made.summary))
        yield all(type(end) is int and INT64[0] <= end <= INT64[1] for end in (low, high))
        yield made.moments.weight.is_integer() and made.moments.weight <= _MOST


def _weights(made: Weights) -> Iterable[bool]:
    yield 0 <= made.below <= _MOST_WEIGHT and 0 <= made.above <= _MOST_WEIGHT


def _value_counts(made: ValueCounts) -> Iterable[bool]:
    yield 0 <= made.error <= _MOST_WEIGHT
    yield _are_weights(made.weights, len(made.values))
    yield pc.count_distinct(made.values).as_py() == len(made.values)
    if made.hashes is not None:
        hashes = made.hashes
        yield hashes.ndim == 1 and hashes.dtype == np.uint64
        yield len(hashes) <= least_hashes.KEPT + 1 and bool((hashes[1:] > hashes[:-1]).all())


def _texts(made: Texts) -> Iterable[bool]:
    yield _counts(made.number, made.size, made.least, made.most, made.not_text)


def _images(made: Images) -> Iterable[bool]:
    yield _counts(made.width, made.height, *made.formats.values())


def _sample(made: Sample) -> Iterable[bool]:
    yield len(made.values) <= LOOKED_AT


def _occurrences(made: Occurrences) -> Iterable[bool]:
    yield _counts(made.looked_at, made.filled, made.number, made.least, made.most)
    yield 0 <= made.sequences <= made.looked_at
    yield made.places.shape == Occurrences().places.shape
    yield made.places.dtype == np.int64 and _counts(*made.places.tolist())


def _language(made: Language) -> Iterable[bool]:
    yield _counts(made.counted, made.known, made.characters)
    yield _are_lengths(made.lengths) and _are_lengths(made.sequence_lengths)
    # Coverage needs what is counted, and ranks what is known.
    yield made.known <= made.counted


def _pairs(made: Pairs) -> Iterable[bool]:
    number = len(made.names)
    yield number <= MOST and len(set(made.names)) == number
    yield set(made.sums) == set(SUMS if number else ())
    for sums in made.sums.values():
        yield sums.shape == (number, number) and sums.dtype == np.float64
    if number:
        count = made.sums["count"]
        yield bool(((count >= 0) & (count <= _MOST)).all())


def _composite_counts(made: CompositeCounts) -> Iterable[bool]:
    yield _counts(made.missing_value, *made.missing)
    yield len(made.missing) == len(made.least) == len(made.most)
    yield all(abs(each) <= _MOST for each in (*made.least, *made.most))


_CHECKS: dict[type, Callable[[Any], Iterable[bool]]] = {
    Dataset: _dataset,
    Feature: _feature,
    Presence: _presence,
    QuantileSummary: _summary,
    Moments: _moments,
    Numbers: _numbers,
    Weights: _weights,
    ValueCounts: _value_counts,
    Texts: _texts,
    Images: _images,
    Sample: _sample,
    Occurrences: _occurrences,
    Language: _language,
    Pairs: _pairs,
    CompositeCounts: _composite_counts,
}
