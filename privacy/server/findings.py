"""Findings of the local engine, as DLP's messages."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.cloud.dlp_v2 import types

from privacy.local.finding.find import find
from privacy.local.plan import Plan
from privacy.local.texts import Texts
from privacy.server.items import Item

MAX_QUOTE = 4_096
"""Bytes; a longer quote is left out."""


def findings_of(item: Item, plan: Plan, config: Any) -> list[Any]:
    """Returns what a plan finds in a text or table.

    Args:
      item: The content.
      plan: What is looked for.
      config: The request's `InspectConfig`: whether quotes are wanted, and limits by infoType.
    """
    found = [
        each
        for name, texts in zip(item.names, item.columns, strict=True)
        for each in _of_column(Texts(texts, name), plan, config.include_quote, item.is_table)
    ]
    return list(_within_limits(found, config.limits))


def _of_column(texts: Texts, plan: Plan, quote: bool, table: bool) -> list[Any]:
    spans = find(texts, plan)
    starts = texts.code_points(spans.starts, spans.rows).tolist()
    ends = texts.code_points(spans.ends, spans.rows).tolist()
    begins = texts.offsets[spans.rows]
    quotes = texts.quotes(spans).to_pylist() if quote else [""] * len(spans)
    found = []
    for i, row in enumerate(spans.rows.tolist()):
        short = quotes[i] if len(quotes[i].encode()) <= MAX_QUOTE else ""
        finding = types.Finding.pb()(quote=short, likelihood=int(spans.likelihoods[i]))
        finding.info_type.name = plan.kinds[spans.kinds[i]].name
        finding.location.byte_range.start = int(spans.starts[i] - begins[i])
        finding.location.byte_range.end = int(spans.ends[i] - begins[i])
        finding.location.codepoint_range.start = starts[i]
        finding.location.codepoint_range.end = ends[i]
        if table:
            record = finding.location.content_locations.add().record_location
            record.field_id.name = texts.name
            record.table_location.row_index = row
        found.append(finding)
    return found


def _within_limits(found: list[Any], limits: Any) -> Iterator[Any]:
    """Yields findings up to the limit of their infoType, or of the item."""
    of_type = {each.info_type.name: each.max_findings for each in limits.max_findings_per_info_type}
    seen, left = Counter[str](), limits.max_findings_per_item or len(found)
    for finding in found:
        name = finding.info_type.name
        most = of_type.get(name, of_type.get("", 0))
        if left and (not most or seen[name] < most):
            seen[name] += 1
            left -= 1
            yield finding
