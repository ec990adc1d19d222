"""Redacts a batch: what a policy finds in its columns is transformed, and nothing else changes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.local.columns.cells import plain_text, transform_cells
from privacy.local.columns.conditions import Condition
from privacy.local.columns.json_cells import visit_json
from privacy.local.columns.nested import visit_leaves
from privacy.local.columns.records import Contexts, Records, owners
from privacy.local.columns.roles import LOOKED, NUMBERS, check_columns, role_of
from privacy.local.columns.splice import splice
from privacy.local.finding.find import find
from privacy.local.notes import note_left, note_left_cells, note_left_rows
from privacy.local.plan import Plan, compile_plan
from privacy.local.texts import Texts
from privacy.policy.policy import Policy
from privacy.spans import Spans
from privacy.transformations.transformation import context_of, transform
from transforms.batches import select_rows
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
    If the policy says `leave_untransformed`, a value that can't be transformed stays what it is.

    Args:
      batch: n rows.
      policy: What is looked for and what becomes of it; engine local.

    Returns: The redacted rows in order, and the rejects; rows that a suppression of the policy is
      about are in neither.

    Raises:
      ConfigError: The local engine can't do what the policy asks for, or not on these columns.
    """
    plan = compile_plan(policy)
    check_columns(plan, batch.schema)
    batch = unsuppressed(batch, plan)
    records = Records(batch)
    made = [
        redact_column(column, name, plan, records)
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


def unsuppressed(batch: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
    """Returns the rows that no suppression of the policy is about."""
    out = np.zeros(batch.num_rows, bool)
    for condition in plan.suppressions:
        out |= condition.holds(batch)
    return select_rows(batch, ~out) if out.any() else batch


def redact_column(
    column: pa.Array, name: str, plan: Plan, records: Records
) -> tuple[pa.Array, list[Fault]]:
    """Redacts one column; returns the same array where nothing is found, and what is at fault."""
    if name in plan.columns.leave:
        return column, []
    nested = pa.types.is_nested(column.type)

    def visit(values: pa.Array, path: str) -> tuple[pa.Array, np.ndarray]:
        if path in plan.columns.leave:
            return values, _none(values)
        counted = nested and (plan.other_fields or plan.lenient)
        rows = owners(column, path, name) if counted else None
        if path in plan.columns.json and role_of(values.type) == LOOKED:
            return redact_json(values, path, plan, records, rows)
        return redact_values(values, path, plan, records, rows)

    made, mask = visit_leaves(column, name, visit)
    numbers = role_of(column.type) == NUMBERS and name not in plan.fields
    message = (
        f"a number of type {column.type} is personal data; field_transformations make texts of it"
        if numbers
        else "what was found in it could not be transformed as the policy asks"
    )
    return made, _fault(mask, name, message)


def redact_values(
    values: pa.Array, path: str, plan: Plan, records: Records, rows: np.ndarray | None = None
) -> tuple[pa.Array, np.ndarray]:
    """Redacts the values of one path: whole, or what is found in them.

    Args:
      values: m values, neither lists nor structs.
      path: Their path.
      plan: What becomes of them.
      records: The rows that they belong to.
      rows: The row of each; None for one a row.

    Returns: m values, the same array where nothing is found; and m booleans: the faults. Where
      the plan is lenient, what can't be transformed is no fault: it stays, and is noted.
    """
    made, bad = _redacted(values, path, plan, records, rows)
    if not plan.lenient or not bad.any():
        return made, bad
    if path in plan.fields:
        note_left_cells(path, int(bad.sum()))
    elif role_of(values.type) == NUMBERS:
        # Not the transformation failed: a number has no room for what it gives.
        return made, bad
    note_left_rows(np.flatnonzero(bad) if rows is None else rows[bad])
    return made, _none(values)


def _redacted(
    values: pa.Array, path: str, plan: Plan, records: Records, rows: np.ndarray | None
) -> tuple[pa.Array, np.ndarray]:
    contexts = records.contexts(rows)
    if path in plan.fields:
        steps = plan.fields[path]
        masks = [_holds(step.condition, records, rows) for step in steps]
        return transform_cells(values, steps, masks, contexts, plan.lenient)
    part, condition = plan.parts.get(path, (plan, None))
    mask = _holds(condition, records, rows)
    if mask is None:
        return _looked(values, path, part, contexts)
    made, bad = _looked(values, path, part, contexts)
    return values if made is values else pc.if_else(pa.array(mask), made, values), bad & mask


def redact_json(
    values: pa.Array, path: str, plan: Plan, records: Records, rows: np.ndarray | None
) -> tuple[pa.Array, np.ndarray]:
    """Redacts JSON texts by the paths of their values; see `visit_json`."""

    def visit(texts: pa.Array, inner: str, which: np.ndarray) -> tuple[pa.Array, np.ndarray]:
        if inner in plan.columns.leave:
            return texts, _none(texts)
        own = which if rows is None else rows[which]
        made, bad = redact_values(texts, inner, plan, records, own)
        return made, bad

    given = _strings(values)
    made, faults = visit_json(given, path, visit)
    return (values if made is given else made.cast(values.type)), faults


def _holds(
    condition: Condition | None, records: Records, rows: np.ndarray | None
) -> np.ndarray | None:
    """Tells for which values a condition holds; None for all."""
    if condition is None:
        return None
    found = condition.holds(records.batch)
    return found if rows is None else found[rows]


def _looked(
    values: pa.Array, path: str, plan: Plan, contexts: Contexts
) -> tuple[pa.Array, np.ndarray]:
    role = role_of(values.type)
    if role == NUMBERS:
        return values, _numbers(values, path, plan)
    return _texts(values, path, plan, contexts) if role == LOOKED else (values, _none(values))


def _fault(mask: np.ndarray, name: str, message: str) -> list[Fault]:
    return [Fault(mask, Reason.NOT_REDACTED, name, message)] if mask.any() else []


def _none(values: pa.Array) -> np.ndarray:
    return np.zeros(len(values), bool)


def _numbers(values: pa.Array, path: str, plan: Plan) -> np.ndarray:
    """Tells which numbers are personal data when written as texts."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    large = np.flatnonzero(np.asarray(pc.greater_equal(values, _LEAST).fill_null(False)))
    mask = _none(values)
    if len(large):
        texts = Texts(plain_text(values.take(pa.array(large))), path)
        mask[large[find(texts, plan, transformed=True).rows]] = True
    return mask


def _texts(
    values: pa.Array, path: str, plan: Plan, contexts: Contexts
) -> tuple[pa.Array, np.ndarray]:
    """Redacts texts; each different one once where that is asked for, and no other field counts."""
    coded = pa.types.is_dictionary(values.type)
    if plan.contextual:
        values = values.dictionary_decode() if coded else values
    elif coded or path in plan.columns.structured:
        return _each_once(values, path, plan)
    made, mask = redact_texts(Texts(_strings(values), path), plan, contexts)
    return (values if made is None else made.cast(values.type)), mask


def _each_once(values: pa.Array, path: str, plan: Plan) -> tuple[pa.Array, np.ndarray]:
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


def redact_texts(
    texts: Texts, plan: Plan, contexts: Contexts | None = None
) -> tuple[pa.Array | None, np.ndarray]:
    """Redacts n texts: returns them, or None where nothing is found; and which are at fault.

    Args:
      texts: The texts.
      plan: What is looked for.
      contexts: Gives the contexts of the n texts; None where they have no other fields.
    """
    mask = np.zeros(len(texts.column), bool)
    spans = find(texts, plan, transformed=True)
    if not len(spans):
        return None, mask
    new, faults = _transformed(texts, spans, plan, contexts)
    mask[spans.rows[faults]] = True
    if plan.lenient and faults.any():
        new = pc.if_else(pa.array(faults), texts.quotes(spans).cast(pa.string()), new)
        note_left(texts, plan, spans.take(faults))
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


def _transformed(
    texts: Texts, spans: Spans, plan: Plan, contexts: Contexts | None = None
) -> tuple[pa.Array, np.ndarray]:
    """Returns the new text of each span, empty at faults, and the faults."""
    quotes, parts, order = texts.quotes(spans), [], []
    faults = np.zeros(len(spans), bool)
    for number in np.unique(spans.kinds).tolist():
        which = np.flatnonzero(spans.kinds == number)
        transformation = plan.kinds[number].transformation
        assert transformation is not None
        field = context_of(transformation)
        context = contexts(field) if field and contexts else None
        if context is not None:
            context = context.take(pa.array(spans.rows[which]))
        made, faults[which] = transform(transformation, quotes.take(pa.array(which)), context)
        parts.append(made.cast(pa.string()).fill_null(""))
        order.append(which)
    places = np.argsort(np.concatenate(order), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(places)), faults
