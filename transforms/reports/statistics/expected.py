"""What a schema says of a feature, in a line."""

from transforms.metadata.protos import schema_pb2
from transforms.reports.figures import counted, share
from transforms.reports.markup import Markup
from transforms.reports.page import note
from transforms.reports.statistics.context import Context
from transforms.reports.statistics.pairing import Feature

_STAGES = schema_pb2.LifecycleStage


def expected_in_words(feature: Feature, context: Context) -> Markup | None:
    """Returns type, presence, domain and stage in the schema; None if it lacks the feature."""
    said = feature.expected
    if said is None:
        return None
    parts = [
        schema_pb2.FeatureType.Name(said.type).lower(),
        _presence(said),
        _domain(said, feature.name, context),
    ]
    if said.lifecycle_stage:
        parts.append(f"stage {_STAGES.Name(said.lifecycle_stage)}")
    return note("The schema says: ", ", ".join(filter(None, parts)), ".")


def _presence(said: schema_pb2.Feature) -> str:
    least = said.presence.min_fraction
    if least >= 1:
        return "in every row"
    return f"in at least {share(least, 1)} of the rows" if least > 0 else "may be missing"


def _domain(said: schema_pb2.Feature, name: str, context: Context) -> str:
    held = said.WhichOneof("domain_info")
    if held == "domain":
        return f"values of domain {said.domain}"
    if held == "string_domain":
        return f"one of {counted(len(said.string_domain.value), 'value')}"
    if held in ("int_domain", "float_domain"):
        return _range(getattr(said, held), name, context)
    return str(held or "").replace("_", " ")


def _range(
    domain: schema_pb2.IntDomain | schema_pb2.FloatDomain, name: str, context: Context
) -> str:
    ends = [
        f"{word} {context.values.number(name, getattr(domain, end))}"
        for word, end in (("from", "min"), ("to", "max"))
        if domain.HasField(end)
    ]
    return " ".join(ends)
