"""Changes of a feature that several rules propose."""

from transforms.schema.anomalies.anomaly import Draft
from transforms.schema.lifecycle import deprecate


def drop_domain(draft: Draft) -> None:
    """Takes the domain from a feature, and how many values may be outside of it.

    A shared one stays, for others may have it too.
    """
    draft.feature.ClearField("domain_info")
    draft.feature.ClearField("distribution_constraints")
    draft.domain = None


def give_up(draft: Draft) -> None:
    """Deprecates a feature: nothing less would accept the data."""
    deprecate(draft.feature)
