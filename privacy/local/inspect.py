"""Inspects a batch: what a policy finds, where, and how likely it is."""

import numpy as np
import pyarrow as pa

from privacy.likelihood import Likelihood
from privacy.local.columns.cells import plain_text
from privacy.local.columns.json_cells import VisitPath, visit_json
from privacy.local.columns.nested import visit_leaves
from privacy.local.columns.records import owners
from privacy.local.columns.roles import LOOKED, NUMBERS, check_columns, role_of
from privacy.local.finding.find import find
from privacy.local.plan import Plan, compile_plan
from privacy.local.redact import _strings
from privacy.local.texts import Texts
from privacy.policy.policy import Policy
from transforms.batches import row_sources

FINDINGS = pa.schema(
    [
        ("source", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("info_type", pa.string()),
        ("likelihood", pa.string()),
        ("byte_start", pa.int64()),
        ("byte_end", pa.int64()),
        ("codepoint_start", pa.int64()),
        ("codepoint_end", pa.int64()),
        ("quote", pa.string()),
    ]
)
"""A finding: where its row came from, the row's number in its batch, the place in the text; the
quote only where the policy says `include_quote`."""


def inspect_batch(batch: pa.RecordBatch, policy: Policy) -> pa.RecordBatch:
    """Returns what a policy finds in a batch, of schema `FINDINGS`, ordered by column and row.

    Args:
      batch: n rows.
      policy: What is looked for; engine local.

    Raises:
      ConfigError: The local engine can't do what the policy asks for, or not on these columns.
    """
    plan = compile_plan(policy)
    check_columns(plan, batch.schema)
    quote = bool(policy.inspect_config.include_quote)
    looked = [
        (name, column)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in plan.columns.leave and name not in plan.fields
    ]
    parts = [part for name, column in looked for part in _of_column(column, name, plan, quote)]
    table = pa.Table.from_batches(parts, FINDINGS.remove(0)).combine_chunks()
    rows = np.asarray(table.column("row"))
    sources = row_sources(batch, rows)
    columns = [sources, *(each.combine_chunks() for each in table.columns)]
    return pa.RecordBatch.from_arrays(columns, schema=FINDINGS)


def _of_column(column: pa.Array, name: str, plan: Plan, quote: bool) -> list[pa.RecordBatch]:
    found: list[pa.RecordBatch] = []
    nested = pa.types.is_nested(column.type)
    numbered = pa.array(np.arange(len(column)))

    def visit(values: pa.Array, path: str) -> tuple[pa.Array, np.ndarray]:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        role = role_of(values.type)
        if path in plan.columns.leave or path in plan.fields:
            role = None
        elif path in plan.columns.json and role == LOOKED:
            own = owners(column, path, name) if nested else np.asarray(numbered)
            visit_json(_strings(values), path, within(own))
            return values, np.zeros(len(values), bool)
        if role in (LOOKED, NUMBERS):
            texts = _strings(values) if role == LOOKED else plain_text(values)
            rows = owners(column, path, name) if nested else np.asarray(numbered)
            found.append(_findings(Texts(texts, path), plan, rows, quote))
        return values, np.zeros(len(values), bool)

    def within(owner: np.ndarray) -> VisitPath:
        def visit_value(
            texts: pa.Array, inner: str, which: np.ndarray
        ) -> tuple[pa.Array, np.ndarray]:
            if inner not in plan.columns.leave and inner not in plan.fields:
                found.append(_findings(Texts(texts, inner), plan, owner[which], quote))
            return texts, np.zeros(len(texts), bool)

        return visit_value

    visit_leaves(column, name, visit)
    return found


def _findings(texts: Texts, plan: Plan, rows: np.ndarray, quote: bool) -> pa.RecordBatch:
    spans = find(texts, plan)
    names = pa.array([kind.name for kind in plan.kinds] or [""])
    levels = pa.array([level.name for level in Likelihood])
    begin = texts.offsets[spans.rows]
    count = len(spans)
    columns = [
        pa.array(rows[spans.rows], pa.int64()),
        pa.repeat(pa.scalar(texts.name), count),
        names.take(pa.array(spans.kinds)),
        levels.take(pa.array(spans.likelihoods)),
        pa.array(spans.starts - begin),
        pa.array(spans.ends - begin),
        pa.array(texts.code_points(spans.starts, spans.rows), pa.int64()),
        pa.array(texts.code_points(spans.ends, spans.rows), pa.int64()),
        texts.quotes(spans) if quote and count else pa.nulls(count, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FINDINGS.remove(0))
