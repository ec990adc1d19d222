"""Rejected rows as they may be stored: what a policy finds in their payloads is taken out."""

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.likelihood import Likelihood
from privacy.local.columns.nested import visit_leaves
from privacy.local.plan import Plan, compile_plan
from privacy.local.redact import redact_texts
from privacy.local.texts import Texts
from privacy.policy.policy import Policy
from privacy.transformations.replace import Replace
from transforms.reasons import Reason

_OWN = [str(Reason.NOT_REDACTED), str(Reason.NOT_REIDENTIFIED)]
_PAYLOADS = ("payloadString", "payloadBytes", "attributes")


def redact_rejects(rejects: pa.RecordBatch, policy: Policy) -> pa.RecordBatch:
    """Takes what a policy finds out of the payloads and attributes of rejects.

    A payload has no columns whose names could help, so that everything counts that is likely at
    all. Where the policy is about whole cells too, which nobody finds in a payload, the payload is
    withheld; so are bytes that are not UTF-8. What `redact_batch` itself rejected is left as it is.

    Args:
      rejects: n rejects, of schema `REJECTS`.
      policy: What is looked for; engine local.

    Returns: n rejects.
    """
    plan = _strict(policy)
    return redact_payloads(rejects, None if plan.fields else lambda texts: _texts(texts, plan))


def redact_payloads(
    rejects: pa.RecordBatch, redact: Callable[[pa.Array], pa.Array] | None
) -> pa.RecordBatch:
    """Redacts payloads and attributes, all but those of rows that the policy itself rejected.

    Args:
      rejects: n rejects, of schema `REJECTS`.
      redact: Makes texts of texts, null where one is to be withheld; None withholds all.

    Returns: n rejects.
    """
    own = np.asarray(pc.is_in(rejects.column("reason"), pa.array(_OWN)))
    if own.all():
        return rejects
    for name in _PAYLOADS:
        place = rejects.schema.get_field_index(name)
        column = rejects.column(place)
        made = _payload(column, redact)
        kept = pc.if_else(pa.array(own), column, made) if own.any() else made
        rejects = rejects.set_column(place, rejects.schema.field(place), kept)
    return rejects


@functools.lru_cache(8)
def _strict(policy: Policy) -> Plan:
    """Returns the plan by which payloads are redacted: all that is found becomes its name."""
    plan = compile_plan(policy)
    kinds = tuple(
        replace(
            kind,
            minimum=int(Likelihood.VERY_UNLIKELY),
            transformation=kind.transformation and Replace(f"[{kind.name}]"),
        )
        for kind in plan.kinds
    )
    return replace(plan, kinds=kinds, rules=())


def _payload(column: pa.Array, redact: Callable[[pa.Array], pa.Array] | None) -> pa.Array:
    """Returns texts, bytes or attributes that were redacted, or nulls."""
    if redact is None or column.null_count == len(column):
        return pa.nulls(len(column), column.type)
    if pa.types.is_binary(column.type):
        return redact(_utf8(column)).cast(pa.binary())

    def visit(values: pa.Array, path: str) -> tuple[pa.Array, np.ndarray]:
        return redact(values), np.zeros(len(values), bool)

    return visit_leaves(column, "", visit)[0]


def _texts(values: pa.Array, plan: Plan) -> pa.Array:
    made, _ = redact_texts(Texts(values), plan)
    return values if made is None else made


def _utf8(column: pa.Array) -> pa.Array:
    """Returns byte strings as texts, null where they are not UTF-8."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decoded(each) for each in column.to_pylist()], pa.string())


def _decoded(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None
