"""Domains: what values of a feature may be, and which types can have which."""

from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2, statistics_pb2, text_format

_INT, _FLOAT, _BYTES, _STRUCT = (
    schema_pb2.INT,
    schema_pb2.FLOAT,
    schema_pb2.BYTES,
    schema_pb2.STRUCT,
)
_ANY = frozenset({_INT, _FLOAT, _BYTES, _STRUCT})
_TYPES = {
    "domain": frozenset({_BYTES}),
    "bool_domain": frozenset({_INT, _FLOAT, _BYTES}),
    "int_domain": frozenset({_INT, _BYTES}),
    "float_domain": frozenset({_FLOAT, _BYTES}),
    "string_domain": frozenset({_BYTES}),
    "struct_domain": frozenset({_STRUCT}),
    "natural_language_domain": frozenset({_INT, _BYTES}),
    "image_domain": frozenset({_BYTES}),
    "mid_domain": frozenset({_BYTES}),
    "url_domain": frozenset({_BYTES}),
    "time_domain": frozenset({_INT, _BYTES}),
}
OF_RAW_BYTES = frozenset({"natural_language_domain", "image_domain", "url_domain"})
"""Domains of data that is not text."""


def domain_name(feature: schema_pb2.Feature) -> str | None:
    """Returns a feature's domain, by the name of its field; None without a domain."""
    held = feature.WhichOneof("domain_info")
    return None if held is None else str(held)


def allowed_types(domain: str | None) -> frozenset[int]:
    """Returns the types that can have a domain; for unknown domains, any."""
    return _TYPES.get(domain or "", _ANY)


def semantic_domain(column: Column) -> schema_pb2.Feature | None:
    """Returns the domain that statistics inferred from values, such as `image_domain {}`.

    Returns: A feature with this domain and nothing else; None if the statistics have no
      `domain_info`, or several, or one that data of this type can't have.
    """
    told = [each.str for each in column.stats.custom_stats if each.name == "domain_info"]
    if len(told) != 1:
        return None
    try:
        feature = text_format.Parse(told[0], schema_pb2.Feature())
    except text_format.ParseError:
        return None
    held = domain_name(feature)
    alone = held is not None and len(feature.ListFields()) == 1
    return feature if alone and _fits(held, column) else None


def _fits(domain: str | None, column: Column) -> bool:
    raw = column.stats.type == statistics_pb2.FeatureNameStatistics.BYTES
    return column.kind in allowed_types(domain) and (not raw or domain in OF_RAW_BYTES)
