"""Texts outside the values that the schema lists."""

from collections.abc import Iterator

from transforms.schema.anomalies.finding import Draft, Finding, Seen
from transforms.schema.anomalies.mends import drop_domain
from transforms.schema.anomalies.words import handful, quoted, share
from transforms.schema.domains import domain_name


def string_domain(draft: Draft, seen: Seen) -> Iterator[Finding]:
    """`domain` or `string_domain`: as many values as `min_domain_mass` says must be in it."""
    if domain_name(draft.feature) not in ("domain", "string_domain"):
        return
    if seen.column.has_invalid_utf8:
        yield Finding(
            "ENUM_TYPE_INVALID_UTF8", "Invalid UTF8 strings", "Some are not UTF-8.", drop_domain
        )
        return
    known = set((draft.domain or draft.feature.string_domain).value)
    strange = {text: n for text, n in sorted(seen.column.counts.items()) if text not in known}
    total = seen.column.total_values
    mass = draft.feature.distribution_constraints.min_domain_mass
    if strange and (mass >= 1 or total - sum(strange.values()) < mass * total):
        yield _unexpected(strange, total)


def _unexpected(strange: dict[str, float], total: float) -> Finding:
    def mend(draft: Draft) -> None:
        domain = draft.domain or draft.feature.string_domain
        known = set(domain.value)
        domain.value.extend(text for text in strange if text not in known)

    often = sorted(strange, key=lambda text: (-strange[text], text))
    named = (f"{quoted(text)} ({share(strange[text], total)})" for text in often)
    return Finding(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "Unexpected string values",
        f"Values are not in the schema: {handful(named, len(strange))}.",
        mend,
    )
