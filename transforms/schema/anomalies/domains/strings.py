"""Texts outside the values that the schema lists."""

from collections.abc import Collection, Iterator

from transforms.distances.text_mass import text_mass_of
from transforms.metadata.columns import Column
from transforms.metadata.long_texts import as_counted, is_shortened
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.anomalies.mends import drop_domain
from transforms.schema.domains import domain_name
from transforms.words import handful, quoted, share

_UNIQUE_ERROR = 0.1
"""An estimate of how many texts differ is hardly ever wrong by a larger part: three times what it
is wrong by in one case of twenty."""


def string_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `domain` or `string_domain`: at least `min_domain_mass` of the values are in it."""
    if domain_name(draft.feature) not in ("domain", "string_domain"):
        return
    if context.column.has_invalid_utf8:
        yield Anomaly(
            "ENUM_TYPE_INVALID_UTF8", "Invalid UTF8 strings", "Some are not UTF-8.", drop_domain
        )
        return
    known = {as_counted(text) for text in (draft.domain or draft.feature.string_domain).value}
    strange = {text: n for text, n in sorted(context.column.counts.items()) if text not in known}
    total = context.column.total_values
    rare = _rare(context.column, known)
    outside = sum(strange.values()) + rare
    mass = draft.feature.distribution_constraints.min_domain_mass
    if outside and (mass >= 1 or total - outside < mass * total):
        yield _unexpected(strange, total) if not rare else _rare_ones(strange, rare, total)


def _rare(column: Column, known: Collection[str]) -> float:
    """Returns at least how many values are outside the domain among texts that are not held.

    What is not held is more than all texts of the domain can come to: either too many values, or
    too many different ones.
    """
    held = text_mass_of(column)
    if held is None or column.unique is None or not held.unseen:
        return 0.0
    inside = held.bounds(list(known))[1].sum()
    strange = [n for text, n in held.counts.items() if text not in known]
    left = held.total - inside - sum(strange)
    different = column.unique * (1 - _UNIQUE_ERROR) - len(known) - len(strange)
    # Sums of weights are rounded, and of weighted values each may weigh next to nothing.
    if left > 1e-9 * held.total:
        return float(left)
    return 0.0 if column.by_weight else max(0.0, different)


def _rare_ones(strange: dict[str, float], rare: float, total: float) -> Anomaly:
    often = f"{_named(strange, total)}, and others, " if strange else ""
    return Anomaly(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "Unexpected string values",
        f"Values are not in the schema: {often}each of them rare, at least {share(rare, total)} "
        "together.",
        drop_domain,
    )


def _named(strange: dict[str, float], total: float) -> str:
    often = sorted(strange, key=lambda text: (-strange[text], text))
    named = (f"{quoted(text)} ({share(strange[text], total)})" for text in often)
    return handful(named, len(strange))


def _unexpected(strange: dict[str, float], total: float) -> Anomaly:
    def mend(draft: Draft) -> None:
        domain = draft.domain or draft.feature.string_domain
        known = set(domain.value)
        domain.value.extend(text for text in strange if text not in known)

    return Anomaly(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "Unexpected string values",
        f"Values are not in the schema: {_named(strange, total)}.",
        # A whole text can't be made of its short form.
        drop_domain if any(map(is_shortened, strange)) else mend,
    )
