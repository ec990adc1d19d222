"""Columns made ready to become tensors: cast, checked, and their faulty rows pointed out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inference.signature.binding import Binding, Column, Feed, unnested
from inference.signature.spec import Layout, TensorSpec
from transforms.arrow.casts import checked_cast
from transforms.arrow.lists import list_lengths
from transforms.conform import described_faults
from transforms.faults import Fault
from transforms.preprocess.times import is_point, since_1970
from transforms.reasons import Reason


@dataclass(frozen=True)
class Feature:
    """The values of one input.

    Attributes:
      spec: The input.
      columns: n values each: one column, or several scalar ones to be stacked. Nothing is null in
        a required input, once faulty rows are out.
      sizes: For each row and level of lists, how many values it has where the model leaves that
        open but wants it equal in all rows of a call; 0 elsewhere. None if nothing is open.
    """

    spec: TensorSpec
    columns: tuple[pa.Array, ...]
    sizes: np.ndarray | None = None

    def select(self, mask: np.ndarray) -> "Feature":
        """Returns the rows where the mask is true."""
        kept = pa.array(mask)
        sizes = None if self.sizes is None else self.sizes[mask]
        return Feature(self.spec, tuple(column.filter(kept) for column in self.columns), sizes)

    def take(self, rows: np.ndarray) -> "Feature":
        """Returns some rows, by their numbers."""
        sizes = None if self.sizes is None else self.sizes[rows]
        taken = tuple(column.take(pa.array(rows)) for column in self.columns)
        return Feature(self.spec, taken, sizes)


def features_of(batch: pa.RecordBatch, binding: Binding) -> tuple[list[Feature], list[Fault]]:
    """Casts the columns of a batch to what the inputs take.

    Args:
      batch: n rows with the columns of the binding.
      binding: Which columns feed which inputs.

    Returns: A feature for each input of the model, and what is wrong with which rows. The values
      of a faulty row mean nothing.
    """
    features, faults = [], []
    for feed in binding.feeds:
        feature, wrong = _feature(batch, feed)
        features.append(feature)
        faults += wrong
    if binding.examples is None:
        return features, faults
    examples, wrong = _encoded(batch.num_rows, binding.feeds, features)
    return [Feature(binding.examples, (examples,))], faults + wrong


def _feature(batch: pa.RecordBatch, feed: Feed) -> tuple[Feature, list[Fault]]:
    if not feed.columns:
        nothing = pa.nulls(batch.num_rows, feed.spec.arrow())
        return Feature(feed.spec, (nothing,)), []
    arrays: list[pa.Array] = []
    faults: list[Fault] = []
    for column in feed.columns:
        array = batch.column(column.index)
        if column.cast is not None:
            array = _cast(array, column, feed.spec.unit, faults)
        if feed.spec.required and array.null_count:
            faults.append(_missing(_nulls(array), column.name, feed.spec))
        arrays.append(array)
    feature = Feature(feed.spec, tuple(arrays))
    if not pa.types.is_nested(arrays[0].type):
        return feature, faults
    return _measured(feature, feed.columns[0].name, faults)


def _cast(array: pa.Array, column: Column, unit: str | None, faults: list[Fault]) -> pa.Array:
    if unit is not None and is_point(array.type):
        times = since_1970(array, unit)
        faults += described_faults({column.name: times})
        array = times.values
    cast = checked_cast(array, column.cast)
    faults += described_faults({column.name: cast})
    return cast.values


def _nulls(array: pa.Array) -> np.ndarray:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False))


def _missing(mask: np.ndarray, column: str, spec: TensorSpec) -> Fault:
    message = f"column {column!r} has no value, but input {spec.name!r} of the model needs one"
    return Fault(mask, Reason.MISSING_VALUE, column, message)


def _measured(feature: Feature, column: str, faults: list[Fault]) -> tuple[Feature, list[Fault]]:
    """Checks the lengths of lists, and that none holds a null where all values are needed."""
    spec, array = feature.spec, feature.columns[0]
    rules = list(_rules(spec, len(unnested(array.type)[1])))
    sizes, wrong, missing = _measure(array, rules)
    if missing.any() and (spec.required or any(rule.equal for rule in rules)):
        faults.append(_missing(missing, column, spec))
    if wrong.any():
        shape = ", ".join("?" if rule.size is None else str(rule.size) for rule in rules)
        message = (
            f"column {column!r} has not the number of values that input {spec.name!r} of the "
            f"model takes: [{shape}]"
        )
        faults.append(Fault(wrong, Reason.WRONG_SHAPE, column, message))
    is_open = any(rule.equal and rule.size is None for rule in rules)
    return replace(feature, sizes=sizes if is_open else None), faults


@dataclass(frozen=True)
class _Rule:
    """What holds for the lengths of the lists of one level.

    Attributes:
      size: Their length, if equal, else the most they may have; None for any.
      equal: Whether the lists of all rows of a call are equally long.
    """

    size: int | None
    equal: bool


def _rules(spec: TensorSpec, depth: int) -> Iterator[_Rule]:
    sizes = (None,) * depth if spec.row_shape is None else spec.row_shape
    for level, size in enumerate(sizes):
        uniform = spec.layout == Layout.RAGGED and level >= spec.splits
        yield _Rule(size, spec.layout == Layout.DENSE or uniform)


def _measure(array: pa.Array, rules: list[_Rule]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the lengths of the lists in each row.

    Args:
      array: n nested lists, as deep as there are rules.
      rules: What holds for each level.

    Returns: The common length of the lists of each row at each level (0 where they may differ);
      which rows break a rule; which rows hold a null inside.
    """
    count = len(array)
    usual = [rule.size or 0 if rule.equal else 0 for rule in rules]
    sizes = np.tile(np.array(usual, np.int64), (count, 1))
    wrong, missing, rows = np.zeros(count, bool), np.zeros(count, bool), np.arange(count)
    for level, rule in enumerate(rules):
        lengths = list_lengths(array)
        if rule.equal:
            # The first list of each row says what is usual in it, as the last assignment wins.
            sizes[rows[::-1], level] = lengths[::-1]
            wrong[rows[lengths != sizes[rows, level]]] = True
            if rule.size is not None:
                wrong[rows[lengths != rule.size]] = True
        elif rule.size is not None:
            wrong[rows[lengths > rule.size]] = True
        array = pc.list_flatten(array)
        if level + 1 < len(rules) or array.null_count:
            rows = np.repeat(rows, lengths)
        if array.null_count:
            missing[rows[_nulls(array)]] = True
    return sizes, wrong, missing


def _encoded(
    count: int, feeds: Iterable[Feed], features: list[Feature]
) -> tuple[pa.Array, list[Fault]]:
    """Returns all features of each row as a serialized tf.Example."""
    from transforms.examples.convert import encode_examples

    held = [pair for pair in zip(feeds, features, strict=True) if pair[0].columns]
    if not held:
        return pa.array([b""] * count, pa.binary()), []
    names = [feed.spec.name for feed, _ in held]
    columns = [_joined(feature) for _, feature in held]
    examples, casts = encode_examples(pa.RecordBatch.from_arrays(columns, names))
    sources = {feed.spec.name: feed.columns[0].name for feed, _ in held}
    return examples, described_faults({sources[name]: cast for name, cast in casts.items()})


def _joined(feature: Feature) -> pa.Array:
    """Returns several scalar columns as one of lists."""
    width = len(feature.columns)
    if width == 1:
        return feature.columns[0]
    count = len(feature.columns[0])
    places = np.arange(width * count).reshape(width, count).T.ravel()
    values = pa.concat_arrays(feature.columns).take(pa.array(places))
    return pa.FixedSizeListArray.from_arrays(values, width)
