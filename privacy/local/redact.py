"""Redacts a batch: what a policy finds in its columns is transformed, and nothing else changes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.local.columns import LOOKED, NUMBERS, check_columns, role_of
from privacy.local.find import find
from privacy.local.nested import visit_leaves
from privacy.local.plan import Plan, compile_plan
from privacy.local.splice import splice
from privacy.local.texts import Texts
from privacy.policy.policy import Policy
from privacy.spans import Spans
from privacy.transformations.transformation import Transformation
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import Outcome, split_by_faults

_LEAST = 100_000
"""Smaller whole numbers have fewer digits than anything that is looked for."""

_PASSES = 4


def redact_batch(batch: pa.RecordBatch, policy: Policy) -> Outcome:
    """Transforms what a policy finds in a batch.

    Columns in which nothing is found are the same arrays as before, not copies. A row in which
    something can't be transformed is a reject; in its payload all else is redacted, and the
    column at fault is null. Null stays null. A whole number that is found can't be rewritten in its
    type, and so is a fault; name its column in `field_transformations` to get a column of texts.

    Args:
      batch: n rows.
      policy: What is looked for and what becomes of it; engine local.

    Returns: The redacted rows in order, and the rejects.

    Raises:
      ConfigError: The local engine can't do what the policy asks for, or not on these columns.
    """
    plan = compile_plan(policy)
    check_columns(plan, batch.schema)
    made = [
        redact_column(column, name, plan)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    faults = [fault for _, found in made for fault in found]
    fields = [
        field
        if field.type.equals(array.type)
        else pa.field(field.name, array.type, True, field.metadata)
        for field, (array, _) in zip(batch.schema, made, strict=True)
    ]
    schema = pa.schema(fields, batch.schema.metadata)
    good = pa.RecordBatch.from_arrays([array for array, _ in made], schema=schema)
    return split_by_faults(
        _withheld(good, faults) if faults else good, faults, version=policy.name, good=good
    )


def _withheld(batch: pa.RecordBatch, faults: list[Fault]) -> pa.RecordBatch:
    """Returns the rows as dead letters may show them: without the values at fault."""
    for fault in faults:
        place = batch.schema.get_field_index(fault.column)
        column = batch.column(place)
        kept = pc.if_else(pa.array(fault.mask), pa.scalar(None, column.type), column)
        batch = batch.set_column(place, pa.field(fault.column, kept.type), kept)
    return batch


def redact_column(column: pa.Array, name: str, plan: Plan) -> tuple[pa.Array, list[Fault]]:
    """Redacts one column; returns the same array where nothing is found, and what is at fault."""
    if name in plan.columns.leave:
        return column, []
    if name in plan.fields:
        made, mask = _whole(column, plan.fields[name])
        return made, _faults(mask, name, "a value could not be transformed as the policy asks")
    once = name in plan.columns.structured or pa.types.is_dictionary(column.type)

    def visit(values: pa.Array, path: str) -> tuple[pa.Array, np.ndarray]:
        role = role_of(values.type)
        if role == NUMBERS:
            return values, _numbers(values, path, plan)
        return _texts(values, path, plan, once) if role == LOOKED else (values, _none(values))

    made, mask = visit_leaves(column, name, visit)
    numbers = role_of(column.type) == NUMBERS
    message = (
        f"a number of type {column.type} is personal data; field_transformations make texts of it"
        if numbers
        else "what was found in it could not be transformed as the policy asks"
    )
    return made, _faults(mask, name, message)


def _faults(mask: np.ndarray, name: str, message: str) -> list[Fault]:
    return [Fault(mask, Reason.NOT_REDACTED, name, message)] if mask.any() else []


def _none(values: pa.Array) -> np.ndarray:
    return np.zeros(len(values), bool)


def _whole(column: pa.Array, transformation: Transformation) -> tuple[pa.Array, np.ndarray]:
    """Transforms whole cells, each different value once."""
    coded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    values = _plain(coded.dictionary)
    made, faults = transformation(values)
    indices = coded.indices
    mask = np.asarray(pa.array(faults).take(indices).fill_null(False))
    return made.cast(pa.string()).take(indices), mask


def _plain(values: pa.Array) -> pa.Array:
    """Returns values as texts."""
    if pa.types.is_floating(values.type):
        # A whole number is written as one: cards and phones that were read as floats.
        whole = pc.and_(pc.is_finite(values), pc.equal(pc.floor(values), values))
        safe = pc.and_(whole, pc.less(pc.abs(values), 2.0**63))
        texts = pc.if_else(safe, values, None).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(texts, values.cast(pa.string()))
    return values.cast(pa.string())


def _numbers(values: pa.Array, path: str, plan: Plan) -> np.ndarray:
    """Tells which numbers are personal data when written as texts."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    large = np.flatnonzero(np.asarray(pc.greater_equal(values, _LEAST).fill_null(False)))
    mask = _none(values)
    if len(large):
        texts = Texts(_plain(values.take(pa.array(large))), path)
        mask[large[find(texts, plan, transformed=True).rows]] = True
    return mask


def _texts(values: pa.Array, path: str, plan: Plan, once: bool) -> tuple[pa.Array, np.ndarray]:
    """Redacts texts; each different one once where that is asked for."""
    if not once:
        made, mask = redact_texts(Texts(_strings(values), path), plan)
        return (values if made is None else made.cast(values.type)), mask
    coded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    weights = np.bincount(np.asarray(coded.indices.drop_null()), minlength=len(coded.dictionary))
    made, faults = redact_texts(Texts(_strings(coded.dictionary), path, weights), plan)
    mask = np.asarray(pa.array(faults).take(coded.indices).fill_null(False))
    if made is None:
        return values, mask
    taken = made.take(coded.indices)
    return taken.cast(values.type) if not pa.types.is_dictionary(values.type) else _coded(
        made, values
    ), mask


def _coded(made: pa.Array, values: pa.Array) -> pa.Array:
    dictionary = made.cast(values.type.value_type)
    return pa.DictionaryArray.from_arrays(values.indices, dictionary, ordered=values.type.ordered)


def _strings(values: pa.Array) -> pa.Array:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def redact_texts(texts: Texts, plan: Plan) -> tuple[pa.Array | None, np.ndarray]:
    """Redacts n texts: returns them, or None where nothing is found; and which are at fault."""
    mask = np.zeros(len(texts.column), bool)
    spans = find(texts, plan, transformed=True)
    if not len(spans):
        return None, mask
    new, faults = _transformed(texts, spans, plan)
    mask[spans.rows[faults]] = True
    made = splice(texts, spans, new)
    return (
        _once_more(made, np.unique(spans.rows), texts.name, plan) if plan.removes else made
    ), mask


def _once_more(column: pa.Array, rows: np.ndarray, name: str, plan: Plan) -> pa.Array:
    """Removes what only shows when something beside it is gone."""
    for _ in range(_PASSES):
        # What they hold was noted before: they weigh nothing.
        part = Texts(column.take(pa.array(rows)), name, np.zeros(len(rows)))
        spans = find(part, plan, transformed=True)
        if not len(spans):
            return column
        new, _ = _transformed(part, spans, plan)
        mask = np.zeros(len(column), bool)
        mask[rows] = True
        column = pc.replace_with_mask(column, pa.array(mask), splice(part, spans, new))
        rows = rows[np.unique(spans.rows)]
    return column


def _transformed(texts: Texts, spans: Spans, plan: Plan) -> tuple[pa.Array, np.ndarray]:
    """Returns the new text of each span, empty at faults, and the faults."""
    quotes, parts, order = texts.quotes(spans), [], []
    faults = np.zeros(len(spans), bool)
    for number in np.unique(spans.kinds).tolist():
        which = np.flatnonzero(spans.kinds == number)
        transformation = plan.kinds[number].transformation
        assert transformation is not None
        made, faults[which] = transformation(quotes.take(pa.array(which)))
        parts.append(made.cast(pa.string()).fill_null(""))
        order.append(which)
    places = np.argsort(np.concatenate(order), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(places)), faults
