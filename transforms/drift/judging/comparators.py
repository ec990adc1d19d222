"""The comparators of a schema, as methods that decide of a column."""

from typing import Any

from transforms.drift.judging.methods import Rules

_METHODS = {"infinity_norm": "linf", "jensen_shannon_divergence": "jsd"}


def comparators_of(schema: Any) -> tuple[tuple[str, Rules], ...]:
    """Returns for each feature at the top that has a `drift_comparator` its methods.

    Args:
      schema: A tensorflow-metadata `Schema`. Thresholds of 0 mean none, as they do in TFDV.
    """
    found = []
    for feature in schema.feature:
        if not feature.HasField("drift_comparator"):
            continue
        comparator = feature.drift_comparator
        pairs = ((method, getattr(comparator, name)) for name, method in _METHODS.items())
        rules = tuple((method, each.threshold) for method, each in pairs if each.threshold > 0)
        if rules:
            found.append((feature.name, rules))
    return tuple(found)
