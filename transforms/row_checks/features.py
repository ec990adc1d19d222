"""A tensorflow-metadata Schema as checks of single rows, one for each feature."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.reasons import Reason
from transforms.row_checks.domains import (
    INT64,
    Domain,
    FloatBits,
    FloatRange,
    IntRange,
    SpelledNumbers,
    Texts,
)
from transforms.schema.environments import check_environment, in_environment
from transforms.schema.lifecycle import is_checked
from transforms.schema.spelling import FLOAT, INTEGER

Count = tuple[int, int | None]
"""The least and the most values of a list; None where there is no most."""


@dataclass(frozen=True)
class FeatureCheck:
    """What a schema says of each row's value of a feature.

    Attributes:
      name: The column, or within one `column.field`.
      kind: "INT", "FLOAT", "BYTES" or "STRUCT".
      required: Whether every row must have it.
      shape: The sizes of a tensor's dimensions, 0 where a size is free; None where it has none.
      counts: For each level of lists, how many values; () where the schema doesn't say.
      domains: What its values must be.
      fields: Of a STRUCT.
      temporal: Whether a column of times will do as well.
    """

    name: str
    kind: str
    required: bool = False
    shape: tuple[int, ...] | None = None
    counts: tuple[Count, ...] = ()
    domains: tuple[Domain, ...] = ()
    fields: tuple["FeatureCheck", ...] = ()
    temporal: bool = False

    @property
    def depth(self) -> int:
        """How deep its lists are, where the schema says so; else 0."""
        return len(self.counts if self.shape is None else self.shape)

    def levels(self, depth: int) -> tuple[Count, ...] | None:
        """Returns how many values each level of lists so deep has; None if such lists don't fit.

        A scalar is a list of one. A tensor may be flat, in row-major order, or nested.
        """
        if self.shape is not None:
            return self._of_shape(depth)
        if depth == 0:
            fits = not self.counts or (len(self.counts) == 1 and _takes_one(self.counts[0]))
            return () if fits else None
        if not self.counts:
            return ((0, None),) * depth
        return self.counts if len(self.counts) == depth else None

    def _of_shape(self, depth: int) -> tuple[Count, ...] | None:
        assert self.shape is not None
        total: Count = (math.prod(self.shape),) * 2 if all(self.shape) else (0, None)
        if depth == 0:
            return () if _takes_one(total) else None
        if depth == len(self.shape):
            return tuple((size, size) if size else (0, None) for size in self.shape)
        return (total,) if depth == 1 else None


def _takes_one(count: Count) -> bool:
    least, most = count
    return least <= 1 and (most is None or most >= 1)


def feature_checks(schema: Any, environment: str | None = None) -> tuple[FeatureCheck, ...]:
    """Returns the checks that a Schema makes of each row.

    Left to the statistics of a dataset: fractions and counts of presence below all rows, domains
    that some mass may leave (`min_domain_mass` below 1), `unique_constraints`, comparators, sparse
    and weighted features, and domains of meaning (images, URLs, language, times).

    Args:
      schema: A tensorflow-metadata `Schema`. Features whose lifecycle stage is no production's
        are not checked.
      environment: What is not expected in it may be missing; None expects all.

    Raises:
      ConfigError: The schema contradicts itself, or has no such environment.
    """
    check_environment(schema, environment)
    return _compiled(schema.feature, schema, environment, "")


def _compiled(
    features: Iterable[Any], schema: Any, environment: str | None, path: str
) -> tuple[FeatureCheck, ...]:
    checks: dict[str, FeatureCheck] = {}
    for feature in features:
        name = path + feature.name
        if not feature.name:
            inside = f" in {path.rstrip('.')!r}" if path else ""
            raise ConfigError(f"the schema has a feature without a name{inside}")
        if name in checks:
            raise ConfigError(f"the schema has feature {name!r} twice")
        if is_checked(feature):
            checks[name] = _check(feature, name, schema, environment)
    return tuple(checks.values())


def _check(feature: Any, name: str, schema: Any, environment: str | None) -> FeatureCheck:
    from tensorflow_metadata.proto.v0 import schema_pb2

    kind = schema_pb2.FeatureType.Name(feature.type)
    if kind == "TYPE_UNKNOWN":
        raise ConfigError(f"feature {name!r} has no type: give it INT, FLOAT, BYTES or STRUCT")
    expected = in_environment(feature, environment, schema.default_environment)
    present = expected and feature.presence.min_fraction >= 1
    fields = feature.struct_domain.feature if kind == "STRUCT" else ()
    return FeatureCheck(
        name,
        kind,
        present,
        tuple(dim.size for dim in feature.shape.dim) if feature.HasField("shape") else None,
        _counts(feature),
        _domains(feature, name, kind, schema),
        _compiled(fields, schema, environment, f"{name}."),
        feature.HasField("time_domain") or feature.HasField("time_of_day_domain"),
    )


def _counts(feature: Any) -> tuple[Count, ...]:
    if feature.HasField("value_counts"):
        levels = list(feature.value_counts.value_count)
    else:
        levels = [feature.value_count] if feature.HasField("value_count") else []
    return tuple((level.min, level.max if level.HasField("max") else None) for level in levels)


def _domains(feature: Any, name: str, kind: str, schema: Any) -> tuple[Domain, ...]:
    """Returns a feature's domain, named or its own; none if `min_domain_mass` is below 1."""
    which = feature.WhichOneof("domain_info")
    constraints = feature.distribution_constraints
    lenient = (
        feature.HasField("distribution_constraints")
        and constraints.HasField("min_domain_mass")
        and constraints.min_domain_mass < 1
    )
    if which == "domain":
        which, domain = _named(feature.domain, name, schema)
    else:
        domain = getattr(feature, which) if which else None
    if which not in _MAKERS:
        return ()
    made = _MAKERS[which](domain, name, kind)
    if made is None:
        raise ConfigError(f"feature {name!r} is of type {kind}, which takes no {which}")
    return () if lenient else (made,)


def _named(domain: str, name: str, schema: Any) -> tuple[str, Any]:
    known = {
        found.name: (which, found)
        for which in ("string_domain", "int_domain", "float_domain")
        for found in getattr(schema, which)
    }
    if domain not in known:
        raise ConfigError(
            f"feature {name!r} has domain {domain!r}, which the schema lacks"
            f"{nearest_column(domain, known)}"
        )
    return known[domain]


def _texts(domain: Any, name: str, kind: str) -> Domain | None:
    return Texts(name, tuple(domain.value)) if kind == "BYTES" else None


def _ints(domain: Any, name: str, kind: str) -> Domain | None:
    low, high = INT64
    low = domain.min if domain.HasField("min") else low
    found = IntRange(name, low, domain.max if domain.HasField("max") else high)
    if kind == "BYTES":
        return SpelledNumbers(name, pa.int64(), INTEGER, found)
    return found if kind == "INT" else None


def _floats(domain: Any, name: str, kind: str) -> Domain | None:
    low = min(_ends(domain.min)) if domain.HasField("min") else -math.inf
    high = max(_ends(domain.max)) if domain.HasField("max") else math.inf
    found = FloatRange(name, low, high, domain.disallow_nan, domain.disallow_inf)
    if kind == "BYTES":
        return SpelledNumbers(name, pa.float64(), FLOAT, found)
    return found if kind == "FLOAT" else None


def _ends(bound: float) -> tuple[float, float]:
    """Returns the bounds that 32 bits may mean: themselves, or the decimals rounded to them.

    "max: 0.1" must let pass the 0.1 of either width, which are different numbers.
    """
    return bound, float(str(np.float32(bound)))


def _bools(domain: Any, name: str, kind: str) -> Domain | None:
    if kind == "BYTES":
        # One that is not given is no text, and none is allowed if neither is.
        named = [field for field in ("true_value", "false_value") if domain.HasField(field)]
        return Texts(name, tuple(getattr(domain, field) for field in named))
    if kind == "FLOAT":
        return FloatBits(name)
    return IntRange(name, 0, 1, Reason.NOT_IN_DOMAIN) if kind == "INT" else None


_MAKERS = {
    "string_domain": _texts,
    "int_domain": _ints,
    "float_domain": _floats,
    "bool_domain": _bools,
}
