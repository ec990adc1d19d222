"""The local engine behind DLP's messages: texts and tables, inspected, transformed and reversed."""

import secrets
from typing import Any

import numpy as np
import pyarrow as pa
from google.cloud.dlp_v2 import types

from privacy.detectors.table import DETECTORS
from privacy.local.columns.records import Records
from privacy.local.notes import CELLS, FAILED, FOUND, noting
from privacy.local.plan import Plan, compile_plan
from privacy.local.redact import redact_values
from privacy.local.reidentify import taken_back
from privacy.policy.policy import Policy
from privacy.policy.reverse import keys_of
from privacy.server.findings import findings_of
from privacy.server.items import Item, item_of, with_columns
from privacy.server.limits import check_transformations, invalid
from transforms.errors import ConfigError
from transforms.user_code import Code

_NAME = "request"
_SUCCESS, _ERROR = 1, 2
_RESULTS = {FOUND: _SUCCESS, CELLS: _SUCCESS, FAILED: _ERROR}
"""DLP's codes for what became of values."""
_MODEL = "use engine: cloud, or name a function under detectors"
_SEED = secrets.token_bytes(32)


class LocalEngine:
    """Finds and transforms with the local engine.

    Args:
      detectors: Functions that find infoTypes, as a `Policy` has them.
    """

    def __init__(self, detectors: tuple[tuple[str, str, Code | None], ...] = ()) -> None:
        self._detectors = detectors

    def info_types(self) -> list[str]:
        """Returns the infoTypes that have a detector."""
        return sorted({*DETECTORS, *(name for name, _, _ in self._detectors)})

    def inspect(self, item: Any, config: Any) -> list[Any]:
        """Returns the findings of a text or table, as DLP's messages."""
        plan = self._plan(config, types.DeidentifyConfig.pb()())
        return findings_of(item_of(item), plan, config)

    def deidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any, int]:
        """Transforms a text or table; see `service.Engine`."""
        given = item_of(item)
        _check(config, given)
        return _transformed(given, self._plan(inspect, config), config)

    def reidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any]:
        """Takes transformations back: of whole fields, and of tokens that are found in texts."""
        given = item_of(item)
        _check(config, given)
        try:
            plan = taken_back(self._plan(inspect, config))
        except ConfigError as error:
            raise invalid(_words(error)) from None
        made, overview, _ = _transformed(given, plan, config)
        return made, overview

    def _plan(self, inspect: Any, deidentify: Any) -> Plan:
        """Returns what a request asks for, compiled; the same configs are compiled once.

        Raises:
          Refused: The local engine can't do it, or it is wrong.
        """
        asked, wanted = (x.SerializeToString(deterministic=True) for x in (inspect, deidentify))
        # A transient key lives for one request.
        own = any(key.HasField("transient") for key in keys_of(deidentify))
        seed = secrets.token_bytes(32) if own else _SEED
        try:
            return compile_plan(
                Policy(_NAME, asked, wanted, transient=seed, detectors=self._detectors)
            )
        except ConfigError as error:
            raise invalid(_words(error)) from None


def _check(config: Any, item: Item) -> None:
    """Refuses what DLP refuses about a config.

    Raises:
      Refused: It has no transformation, too many, or record transformations for a text.
    """
    check_transformations(config)
    kind = config.WhichOneof("transformation")
    if kind is None or (kind == "record_transformations" and not item.is_table):
        raise invalid("record_transformations are for tables" if kind else "no transformation")


def _words(error: ConfigError) -> str:
    """Returns what a policy's error means to who sent a request."""
    text = str(error).replace(f"--policy {_NAME}: ", "").replace("engine local", "the emulator")
    return text.replace(_MODEL, "start the emulator with --detector=NAME=MODULE:FUNCTION")


def _transformed(item: Item, plan: Plan, config: Any) -> tuple[Any, Any, int]:
    """Returns the content, the overview, and how many findings there were.

    Raises:
      Refused: A value can't be transformed.
    """
    overview = types.TransformationOverview.pb()()
    batch = item.batch()
    out = np.zeros(batch.num_rows, bool)
    for number, condition in enumerate(plan.suppressions):
        held = condition.holds(batch) & ~out
        out |= held
        summary = overview.transformation_summaries.add()
        given = config.record_transformations.record_suppressions[number]
        summary.record_suppress.CopyFrom(given)
        summary.results.add(count=int(held.sum()), code=1)
    item = item.without(out)
    records, columns = Records(item.batch()), []
    with noting() as book:
        for name, texts in zip(item.names, item.columns, strict=True):
            made, faults = redact_values(texts, name, plan, records)
            if faults.any():
                raise invalid(_fault(name, item, int(np.flatnonzero(faults)[0])))
            if name in plan.fields:
                book.cells(name, len(texts) - texts.null_count)
            columns.append(made.cast(pa.string()))
    notes = book.notes(len(item.columns[0]) if item.columns else 0, 0)
    counts = {k: n for k, n in notes.counts.items() if k.fate in _RESULTS}
    for noted, count in counts.items():
        summary = overview.transformation_summaries.add(field={"name": noted.column})
        if not noted.column:
            summary.ClearField("field")
        if noted.info_type:
            summary.info_type.name = noted.info_type
        summary.results.add(count=count, code=_RESULTS[noted.fate])
    found = sum(n for k, n in counts.items() if k.info_type)
    return with_columns(item, columns), overview, found


def _fault(name: str, item: Item, row: int) -> str:
    """Returns what the service would say of a value that can't be transformed: it quotes it."""
    if not item.is_table:
        return "a finding can't be transformed as the config asks"
    value = item.columns[item.names.index(name)][row].as_py()
    return f"Invalid value {value!r} for the transformation of field {name}"
