"""Faults of the schema itself: found before any data is looked at."""

from collections import Counter
from collections.abc import Iterator

from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft, Mend
from transforms.schema.anomalies.mends import drop_domain, give_up
from transforms.schema.domains import allowed_types, domain_name
from transforms.words import handful, quoted

_UNSUPPORTED_MASS = {
    "bool_domain": "bool domains",
    "int_domain": "int domains",
    "float_domain": "float domains",
    "struct_domain": "struct domains",
}


def missing_name(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a feature without a name."""
    if not draft.feature.HasField("name"):
        yield Anomaly(
            "FEATURE_MISSING_NAME",
            "Feature has no name",
            "A feature of the schema has no name; find its name rather than deprecate it.",
            give_up,
        )


def missing_type(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a feature without a type; accepts BYTES if its domain is of strings."""
    feature = draft.feature
    if feature.HasField("type") and feature.type != schema_pb2.TYPE_UNKNOWN:
        return
    if domain_name(feature) in ("domain", "string_domain"):
        text, mend = "it has a domain of strings, so it is BYTES", _set_type
    else:
        text, mend = "find its type rather than deprecate it", give_up
    yield Anomaly(
        "FEATURE_MISSING_TYPE", "Feature has no type", f"The feature has no type; {text}.", mend
    )


def limits(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports limits of presence and value counts that no data can meet, or without effect."""
    presence, count = draft.feature.presence, draft.feature.value_count
    if presence.min_fraction < 0:
        yield _invalid("presence.min_fraction is negative", _no_min_fraction)
    if presence.min_fraction > 1:
        yield _invalid("presence.min_fraction is more than 1", _full_min_fraction)
    if count.min < 0:
        yield _invalid("value_count.min is negative", _no_min_values)
    if count.HasField("max") and count.max < count.min:
        yield _invalid("value_count.max is less than value_count.min", _max_is_min)


def domain_for_type(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a domain that values of the feature's type can't be in."""
    held = domain_name(draft.feature)
    if draft.feature.type not in allowed_types(held):
        kind = schema_pb2.FeatureType.Name(draft.feature.type)
        yield Anomaly(
            "DOMAIN_INVALID_FOR_TYPE",
            "The domain does not match the type",
            f"{held} can't be a domain of type {kind}.",
            drop_domain,
        )


def unknown_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a shared domain that the schema does not have."""
    name = draft.feature.domain
    if domain_name(draft.feature) == "domain" and name not in context.domains:
        yield _invalid(f"The schema has no string_domain {quoted(name)}", drop_domain)


def malformed_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a bool domain with one name for both values, and repeated values of a domain."""
    feature = draft.feature
    yes_no = feature.bool_domain
    both = yes_no.HasField("true_value") and yes_no.HasField("false_value")
    if both and yes_no.true_value == yes_no.false_value:
        text = f"True and false are both called {quoted(yes_no.true_value)}."
        yield _malformed("Malformed BoolDomain", text, _no_false_value)
    times = Counter((draft.domain or feature.string_domain).value)
    repeated = [value for value, count in times.items() if count > 1]
    if repeated:
        named = handful(map(quoted, repeated), len(repeated))
        yield _malformed("Malformed StringDomain", f"Values are repeated: {named}.", _once_each)


def mass_without_domain(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a `min_domain_mass` without a domain of strings."""
    held = domain_name(draft.feature)
    if held in ("domain", "string_domain") or not draft.feature.HasField(
        "distribution_constraints"
    ):
        return
    if held is None:
        text = "distribution_constraints need a domain of strings"
    else:
        kinds = _UNSUPPORTED_MASS.get(held, "semantic domains")
        text = f"distribution_constraints do nothing for {kinds}"
    yield _invalid(text, _no_mass)


def _invalid(text: str, mend: Mend) -> Anomaly:
    return Anomaly("INVALID_SCHEMA_SPECIFICATION", "Invalid schema", f"{text}.", mend)


def _malformed(short: str, text: str, mend: Mend) -> Anomaly:
    return Anomaly("INVALID_DOMAIN_SPECIFICATION", short, text, mend)


def _set_type(draft: Draft) -> None:
    draft.feature.type = schema_pb2.BYTES


def _no_min_fraction(draft: Draft) -> None:
    draft.feature.presence.ClearField("min_fraction")


def _full_min_fraction(draft: Draft) -> None:
    draft.feature.presence.min_fraction = 1


def _no_min_values(draft: Draft) -> None:
    draft.feature.value_count.ClearField("min")


def _max_is_min(draft: Draft) -> None:
    draft.feature.value_count.max = draft.feature.value_count.min


def _no_false_value(draft: Draft) -> None:
    draft.feature.bool_domain.ClearField("false_value")


def _once_each(draft: Draft) -> None:
    domain = draft.domain or draft.feature.string_domain
    once = list(dict.fromkeys(domain.value))
    del domain.value[:]
    domain.value.extend(once)


def _no_mass(draft: Draft) -> None:
    draft.feature.ClearField("distribution_constraints")
