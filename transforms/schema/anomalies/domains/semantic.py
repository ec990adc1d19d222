"""What values mean, where statistics see it and the schema says nothing."""

from collections.abc import Iterator

from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.domains import domain_name, semantic_domain


def semantic_update(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a feature without a domain whose values look like those of one."""
    found = semantic_domain(context.column) if domain_name(draft.feature) is None else None
    if found is None:
        return

    def mend(draft: Draft) -> None:
        draft.feature.MergeFrom(found)

    yield Anomaly(
        "SEMANTIC_DOMAIN_UPDATE",
        "Updated semantic domain",
        f"The values look like those of {domain_name(found)}.",
        mend,
    )
