"""The join by id of two data sets, and what came of each feature in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.json_text import json_rows, json_values
from transforms.errors import ConfigError
from transforms.keys.key_hash import NULL_FAMILY, key_column, key_family, whole_keys, wide_hash
from transforms.nearest import nearest_column
from transforms.skew.pairs import PairMasks, compare_pairs

PAIRS = pa.schema(
    [
        ("feature", pa.string()),
        ("id", pa.string()),
        ("base", pa.string()),
        ("test", pa.string()),
        ("rank", pa.uint64()),
    ]
)
"""A pair that differs: its id and both values as JSON, null where one is missing; and the hash of
its id, by which the sample is chosen."""


@dataclass(frozen=True)
class FeatureSkew:
    """How often a feature's values differ between rows of one id.

    Attributes:
      match: Pairs whose values are equal.
      mismatch: Pairs whose values are not.
      base_only: Pairs where only the base row has a value.
      test_only: Pairs where only the test row has one.
    """

    match: int = 0
    mismatch: int = 0
    base_only: int = 0
    test_only: int = 0

    @property
    def skewed(self) -> int:
        """Pairs that differ in any way."""
        return self.mismatch + self.base_only + self.test_only

    def __add__(self, other: "FeatureSkew") -> "FeatureSkew":
        return FeatureSkew(
            self.match + other.match,
            self.mismatch + other.mismatch,
            self.base_only + other.base_only,
            self.test_only + other.test_only,
        )


@dataclass(frozen=True)
class SideCounts:
    """The rows of a side that were not compared.

    Attributes:
      unmatched: Rows whose id the other side doesn't have once.
      duplicates: Rows whose id is there more than once on this side.
      without_id: Rows where a part of the id is missing.
    """

    unmatched: int = 0
    duplicates: int = 0
    without_id: int = 0

    def __add__(self, other: "SideCounts") -> "SideCounts":
        return SideCounts(
            self.unmatched + other.unmatched,
            self.duplicates + other.duplicates,
            self.without_id + other.without_id,
        )


@dataclass(frozen=True)
class SkewReport:
    """What a join by id found; reports of disjoint ids merge.

    Attributes:
      features: By name.
      joined: How many pairs of rows were compared.
      base: The other rows of the base side.
      test: The other rows of the test side.
      pairs: A sample of pairs that differ, of schema `PAIRS`.
    """

    features: Mapping[str, FeatureSkew] = field(default_factory=dict)
    joined: int = 0
    base: SideCounts = SideCounts()
    test: SideCounts = SideCounts()
    pairs: pa.Table = field(default_factory=PAIRS.empty_table)

    def merge(self, other: "SkewReport", sample: int) -> "SkewReport":
        """Returns the report of both, with the first `sample` pairs of each feature by rank."""
        names = sorted({*self.features, *other.features})
        none = FeatureSkew()
        return SkewReport(
            {n: self.features.get(n, none) + other.features.get(n, none) for n in names},
            self.joined + other.joined,
            self.base + other.base,
            self.test + other.test,
            _first(pa.concat_tables([self.pairs, other.pairs]), sample),
        )


def skew_of(
    base: Sequence[pa.RecordBatch],
    test: Sequence[pa.RecordBatch],
    identifiers: Sequence[str],
    features: Sequence[str] | None = None,
    float_digits: int | None = None,
    sample: int = 0,
) -> SkewReport:
    """Compares rows of the same id.

    Args:
      base: Batches, such as those of training.
      test: Batches, such as those of serving.
      identifiers: The columns that make the id.
      features: The columns to compare; None for all that either side has. One that a side lacks is
        missing in all of its rows.
      float_digits: To how many digits after the point floats are rounded first; None for none.
      sample: Of how many differing pairs a feature both values are shown.

    Raises:
      ConfigError: A side lacks an identifier, or has it in a type that the other's can't equal; or
        neither has a feature that is named.
    """
    left, right = _Side.of(base, identifiers), _Side.of(test, identifiers)
    known = list(dict.fromkeys([*left.rows.schema.names, *right.rows.schema.names]))
    if left.rows.num_rows and right.rows.num_rows:
        _check_types(left.rows, right.rows, identifiers)
        _check_names(features or (), known)
    at_left, at_right = matching(left.ids, right.ids)
    left_rows = left.rows.take(pa.array(left.places[at_left]))
    right_rows = right.rows.take(pa.array(right.places[at_right]))
    if features is None:
        features = [name for name in known if name not in identifiers]
    found: dict[str, FeatureSkew] = {}
    pairs = [PAIRS.empty_table()]
    for name in features:
        columns = _column(left_rows, name), _column(right_rows, name)
        paired = compare_pairs(*columns, float_digits)
        found[name] = _counted(paired)
        if sample and found[name].skewed:
            ranks = left.ids[at_left, 0]
            pairs.append(_sampled(name, paired, columns, left_rows, identifiers, ranks, sample))
    joined = len(at_left)
    return SkewReport(
        found, joined, left.counts(joined), right.counts(joined), pa.concat_tables(pairs)
    )


@dataclass(frozen=True)
class _Side:
    """The rows of a side, and where those are whose id is there once."""

    rows: pa.RecordBatch
    ids: np.ndarray
    places: np.ndarray
    without_id: int

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], identifiers: Sequence[str]) -> "_Side":
        if not batches:
            return cls(pa.record_batch({}), np.zeros((0, 2), np.uint64), np.zeros(0, np.int64), 0)
        rows = _one_batch(batches)
        ids = wide_hash(rows, identifiers)
        places = np.flatnonzero(whole_keys(rows, identifiers))
        order = places[np.lexsort(ids[places].T)]
        again = (ids[order[1:]] == ids[order[:-1]]).all(axis=1)
        alone = np.ones(len(order), bool)
        alone[1:] &= ~again
        alone[:-1] &= ~again
        once = order[alone]
        return cls(rows, ids[once], once, rows.num_rows - len(places))

    def counts(self, joined: int) -> SideCounts:
        once = len(self.ids)
        duplicates = self.rows.num_rows - self.without_id - once
        return SideCounts(once - joined, duplicates, self.without_id)


def matching(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns where one side has ids that the other has too.

    Args:
      left: Ids, each once: n by 2 numbers.
      right: Ids, each once: m by 2 numbers.

    Returns: Their places on the left and on the right, pair by pair.
    """
    both = np.concatenate([left, right])
    order = np.lexsort(both.T)
    same = (both[order[1:]] == both[order[:-1]]).all(axis=1)
    # The sort is stable, so that of two alike the left one comes first.
    return order[:-1][same], order[1:][same] - len(left)


def _one_batch(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    tables = [pa.Table.from_batches([batch.replace_schema_metadata(None)]) for batch in batches]
    table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], table.schema)
    return table.to_batches()[0]


def _check_types(base: pa.RecordBatch, test: pa.RecordBatch, identifiers: Sequence[str]) -> None:
    for name in identifiers:
        one, other = (key_column(side, name).type for side in (base, test))
        families = {key_family(one), key_family(other)} - {NULL_FAMILY}
        if len(families) > 1:
            raise ConfigError(
                f"identifier {name!r} is {one} on the base side and {other} on the test side, so "
                "no ids can be the same; cast one of them"
            )


def _check_names(features: Sequence[str], known: Sequence[str]) -> None:
    for name in features:
        if name not in known:
            near = nearest_column(name, known)
            raise ConfigError(f"feature {name!r} is on neither side{near}")


def _column(rows: pa.RecordBatch, name: str) -> pa.Array:
    index = rows.schema.get_field_index(name)
    return rows.column(index) if index >= 0 else pa.nulls(rows.num_rows)


def _counted(paired: PairMasks) -> FeatureSkew:
    masks = (paired.match, paired.mismatch, paired.base_only, paired.test_only)
    return FeatureSkew(*(int(np.count_nonzero(mask)) for mask in masks))


def _sampled(
    name: str,
    paired: PairMasks,
    columns: tuple[pa.Array, pa.Array],
    rows: pa.RecordBatch,
    identifiers: Sequence[str],
    ranks: np.ndarray,
    sample: int,
) -> pa.Table:
    """Returns the differing pairs whose ids have the smallest hashes."""
    differ = np.flatnonzero(paired.mismatch | paired.base_only | paired.test_only)
    places = pa.array(differ[np.argsort(ranks[differ])][:sample])
    values = [column.take(places) for column in columns]
    texts = [_json(column) for column in values]
    shown = json_rows(rows.select(list(identifiers)).take(places))
    names = pa.repeat(name, len(places))
    arrays = [names, shown, *texts, pa.array(ranks[places.to_numpy()])]
    return pa.Table.from_arrays(arrays, schema=PAIRS)


def _json(values: pa.Array) -> pa.Array:
    return pc.if_else(values.is_valid(), json_values(values), pa.scalar(None, pa.string()))


def _first(pairs: pa.Table, sample: int) -> pa.Table:
    """Returns the first pairs of each feature by rank."""
    if not pairs.num_rows:
        return pairs
    pairs = pairs.sort_by([("feature", "ascending"), ("rank", "ascending")])
    names = pairs["feature"].combine_chunks().dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], np.diff(names) != 0]))
    within = np.arange(len(names)) - np.repeat(starts, np.diff(np.append(starts, len(names))))
    return pairs.filter(pa.array(within < sample))
