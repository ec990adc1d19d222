"""Broken custom rules as anomalies, beside those that statistics show."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from transforms.gate.faults import Faults, FaultyRows
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.statistics.findings import UNREAD
from transforms.rules.column_rules import Verdict

_Info = anomalies_pb2.AnomalyInfo
_OF_ROWS = {"max", "min"}


def rule_keys(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Returns the keys of rules among anomalies, which have the paths of features.

    Args:
      names: Of the rules.
      taken: The keys of other anomalies, for a column may be called so too.

    Returns: By name a key that nothing else has.
    """
    keys: dict[str, str] = {}
    used = set(taken)
    for name in names:
        key = f"rule {name}"
        while key in used:
            key += " (rule)"
        used.add(key)
        keys[name] = key
    return keys


def rule_anomalies(
    faults: Faults,
    verdicts: Iterable[Verdict],
    repeats: Mapping[str, int],
    keys: Mapping[str, str],
    warnings: Collection[str] = (),
) -> Iterator[tuple[str, anomalies_pb2.AnomalyInfo]]:
    """Yields an anomaly for each rule that the data breaks, with its key.

    They are of the type CUSTOM_VALIDATION, and errors unless the rule only warns; a rule about
    columns without values, about which nothing is known, is a warning.

    Args:
      faults: What rows violate.
      verdicts: How rules about columns came out.
      repeats: For each rule about keys, by its name, how many rows have the key of another.
      keys: Of anomalies by the names of rules; see `rule_keys`.
      warnings: The names of rules that only warn.
    """
    for name, info in _broken(faults, verdicts, repeats):
        if name in warnings:
            info.severity = _Info.WARNING
        yield keys[name], info


def _broken(
    faults: Faults, verdicts: Iterable[Verdict], repeats: Mapping[str, int]
) -> Iterator[tuple[str, anomalies_pb2.AnomalyInfo]]:
    for name, fault in faults.rules.items():
        yield name, _of_rows(name, fault, faults.rows)
    for verdict in verdicts:
        if not verdict.holds:
            yield verdict.rule, _of_columns(verdict)
    for name, rows in repeats.items():
        if rows:
            share = f"{rows:,} of {faults.rows:,} rows"
            text = f"The key of the rule {name!r} comes again in {share}."
            yield name, _error(f"Key repeated in {share}", text)


def unread_rows(rows: int) -> Iterator[tuple[str, anomalies_pb2.AnomalyInfo]]:
    """Returns the anomaly of rows that could not be read, if any: no statistics count them."""
    if rows:
        noun = "row" if rows == 1 else "rows"
        text = f"{rows:,} {noun} could not be read; the dead letters say which and why."
        yield UNREAD, _error(f"{rows:,} could not be read: see the dead letters", text)


def _of_rows(name: str, fault: FaultyRows, rows: int) -> anomalies_pb2.AnomalyInfo:
    share = f"{fault.rows:,} of {rows:,} rows"
    text = f"The rule {name!r} is broken by {share} ({fault.rows / rows:.3%})."
    return _error(f"Broken by {share}", text)


def _of_columns(verdict: Verdict) -> anomalies_pb2.AnomalyInfo:
    measured = ", ".join(map(_figure, verdict.measured))
    if verdict.holds is None:
        text = f"Whether the rule {verdict.rule!r} holds is unknown: the result is {measured}."
        return _info("Unknown", text, _Info.WARNING)
    about = "" if verdict.exact else "about "
    share = f"the result is {about}{measured}"
    # The least and the greatest are values of rows, and the short text is shown in logs.
    is_value = _OF_ROWS & set(verdict.aggregates)
    short = "Does not hold" if is_value else f"Does not hold: {share}"
    return _error(short, f"The rule {verdict.rule!r} does not hold: {share}.")


def _figure(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:,.6g}" if isinstance(value, float) else f"{value}"


def _error(short: str, text: str) -> anomalies_pb2.AnomalyInfo:
    return _info(short, text, _Info.ERROR)


def _info(short: str, text: str, severity: Any) -> anomalies_pb2.AnomalyInfo:
    reason = _Info.Reason(type=_Info.CUSTOM_VALIDATION, short_description=short, description=text)
    return _Info(severity=severity, short_description=short, description=text, reason=[reason])
