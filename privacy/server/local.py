"""The local engine behind DLP's messages: texts and tables, inspected, transformed and reversed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from google.cloud.dlp_v2 import types

from privacy.cloud.cells import plain_text
from privacy.detectors.table import DETECTORS
from privacy.local.find import find
from privacy.local.plan import Plan, compile_plan
from privacy.local.redact import redact_texts
from privacy.local.texts import Texts
from privacy.policy.policy import Policy
from privacy.server.fields import compiled, put_texts, summarize, transform_field
from privacy.server.limits import invalid, unimplemented
from transforms.errors import ConfigError

_NAME = "request"


class LocalEngine:
    """Finds and transforms with the local engine."""

    def info_types(self) -> list[str]:
        """Returns the infoTypes that have a detector."""
        return sorted(DETECTORS)

    def inspect(self, item: Any, config: Any) -> list[Any]:
        """Returns the findings of a text or table, as DLP's messages."""
        plan = _plan(config, types.DeidentifyConfig.pb()())
        found, table = list[Any](), _is_table(item)
        for name, texts in _columns(item):
            found += _findings(Texts(texts, name), plan, config.include_quote, table)
        return found

    def deidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any, int]:
        """Transforms a text or table; see `service.Engine`."""
        made, overview = type(item)(), types.TransformationOverview.pb()()
        made.CopyFrom(item)
        kind = config.WhichOneof("transformation")
        if kind == "info_type_transformations":
            names = [name for name, _ in _columns(item)]
            count = self._info_types(made, names, inspect, config, overview)
        elif kind == "record_transformations" and _is_table(item):
            count = self._records(made, inspect, config.record_transformations, overview)
        else:
            raise invalid("record_transformations are for tables" if kind else "no transformation")
        return made, overview, count

    def reidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any]:
        """Reverses transformations of whole fields of a table."""
        if not config.HasField("record_transformations") or not _is_table(item):
            raise unimplemented("re-identification of anything but fields of tables")
        made, overview = type(item)(), types.TransformationOverview.pb()()
        made.CopyFrom(item)
        for each in config.record_transformations.field_transformations:
            for field in each.fields:
                count = transform_field(made.table, field.name, compiled(each, reverse=True))
                summarize(overview, field.name, count)
        return made, overview

    def _records(self, made: Any, inspect: Any, config: Any, overview: Any) -> int:
        if config.record_suppressions:
            raise unimplemented("record suppressions")
        total = 0
        for each in config.field_transformations:
            names = [field.name for field in each.fields]
            if each.HasField("info_type_transformations"):
                whole = types.DeidentifyConfig.pb()()
                whole.info_type_transformations.CopyFrom(each.info_type_transformations)
                total += self._info_types(made, names, inspect, whole, overview)
                continue
            run = compiled(each, reverse=False)
            for name in names:
                count = transform_field(made.table, name, run)
                summarize(overview, name, count)
                total += count
        return total

    def _info_types(
        self, made: Any, names: Sequence[str], inspect: Any, config: Any, overview: Any
    ) -> int:
        """Transforms what is found in columns, in place; returns how much that was."""
        plan, total = _plan(inspect, config), 0
        for at, (name, texts) in enumerate(_columns(made)):
            if name not in names:
                continue
            column = Texts(texts, name)
            spans = find(column, plan, transformed=True)
            new, faults = redact_texts(column, plan)
            if faults.any():
                raise invalid("a finding can't be transformed as the config asks")
            total += len(spans)
            if new is not None:
                _put(made, at, new, np.unique(spans.rows))
                summarize(overview, name, len(spans))
        return total


def _plan(inspect: Any, deidentify: Any) -> Plan:
    """Returns what a request asks for, compiled; the same configs are compiled once.

    Raises:
      Refused: The local engine can't do it, or it is wrong.
    """
    configs = [x.SerializeToString(deterministic=True) for x in (inspect, deidentify)]
    try:
        return compile_plan(Policy(_NAME, *configs))
    except ConfigError as error:
        raise invalid(str(error)) from None


def _is_table(item: Any) -> bool:
    return bool(item.WhichOneof("data_item") == "table")


def _columns(item: Any) -> list[tuple[str, pa.Array]]:
    """Returns an item's columns of texts, with their names; a text is a column without a name."""
    kind = item.WhichOneof("data_item")
    if kind == "value":
        return [("", pa.array([item.value], pa.string()))]
    if kind == "byte_item":
        try:
            return [("", pa.array([item.byte_item.data.decode()], pa.string()))]
        except UnicodeDecodeError:
            raise unimplemented("bytes that are not UTF-8 text") from None
    if kind != "table":
        raise unimplemented(f"items of {kind or 'no kind'}")
    table = item.table
    width = len(table.headers)
    if any(len(row.values) != width for row in table.rows):
        raise invalid("a row has another number of values than the table has headers")
    return [
        (header.name, pa.array([plain_text(row.values[at]) for row in table.rows], pa.string()))
        for at, header in enumerate(table.headers)
    ]


def _put(item: Any, at: int, new: pa.Array, rows: np.ndarray) -> None:
    """Writes new texts into an item, in the rows that changed."""
    kind = item.WhichOneof("data_item")
    if kind == "value":
        item.value = new[0].as_py()
    elif kind == "byte_item":
        item.byte_item.data = new[0].as_py().encode()
    else:
        put_texts([item.table.rows[row].values[at] for row in rows], new.take(pa.array(rows)))


def _findings(texts: Texts, plan: Plan, quote: bool, table: bool) -> list[Any]:
    spans = find(texts, plan)
    starts = texts.code_points(spans.starts, spans.rows).tolist()
    ends = texts.code_points(spans.ends, spans.rows).tolist()
    begins = texts.offsets[spans.rows]
    quotes = texts.quotes(spans).to_pylist() if quote else [""] * len(spans)
    found = []
    for i, row in enumerate(spans.rows.tolist()):
        finding = types.Finding.pb()(quote=quotes[i], likelihood=int(spans.likelihoods[i]))
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
