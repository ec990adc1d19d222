"""Every rule, in the order in which they are asked, and the kinds of anomalies each can find."""

from transforms.schema.anomalies.anomaly import Rule
from transforms.schema.anomalies.comparators import DISTANCES, drift_exceeded, no_control
from transforms.schema.anomalies.derived import derived_source, derived_stage
from transforms.schema.anomalies.domains.bools import bool_domain
from transforms.schema.anomalies.domains.floats import float_domain
from transforms.schema.anomalies.domains.images import image_bytes, supported_images
from transforms.schema.anomalies.domains.ints import int_domain
from transforms.schema.anomalies.domains.language import natural_language
from transforms.schema.anomalies.domains.semantic import semantic_update
from transforms.schema.anomalies.domains.strings import string_domain
from transforms.schema.anomalies.domains.types import data_type, raw_bytes
from transforms.schema.anomalies.faults import (
    domain_for_type,
    limits,
    malformed_domain,
    mass_without_domain,
    missing_name,
    missing_type,
    unknown_domain,
)
from transforms.schema.anomalies.missing_share import missing_share_exceeded
from transforms.schema.anomalies.presence import (
    fraction_too_low,
    not_in_environment,
    too_few_rows,
)
from transforms.schema.anomalies.shape import shape
from transforms.schema.anomalies.unique import unique
from transforms.schema.anomalies.valency import value_count, value_counts

DISTANCE_KINDS = tuple(each.kind for each in DISTANCES)

SCHEMA_RULES = (
    Rule(missing_name, ("FEATURE_MISSING_NAME",)),
    Rule(missing_type, ("FEATURE_MISSING_TYPE",)),
    Rule(limits, ("INVALID_SCHEMA_SPECIFICATION",)),
    Rule(domain_for_type, ("DOMAIN_INVALID_FOR_TYPE",)),
    Rule(unknown_domain, ("INVALID_SCHEMA_SPECIFICATION",)),
    Rule(malformed_domain, ("INVALID_DOMAIN_SPECIFICATION",)),
    Rule(mass_without_domain, ("INVALID_SCHEMA_SPECIFICATION",)),
)
"""About what the schema says of a feature, whatever the data."""

DATA_RULES = (
    Rule(not_in_environment, ("SCHEMA_NEW_COLUMN",)),
    Rule(
        value_count,
        (
            "VALUE_NESTEDNESS_MISMATCH",
            "FEATURE_TYPE_LOW_NUMBER_VALUES",
            "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        ),
    ),
    Rule(
        value_counts,
        (
            "VALUE_NESTEDNESS_MISMATCH",
            "FEATURE_TYPE_LOW_NUMBER_VALUES",
            "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        ),
    ),
    Rule(shape, ("INVALID_FEATURE_SHAPE",)),
    Rule(too_few_rows, ("FEATURE_TYPE_LOW_NUMBER_PRESENT",)),
    Rule(fraction_too_low, ("FEATURE_TYPE_LOW_FRACTION_PRESENT",)),
    Rule(data_type, ("UNEXPECTED_DATA_TYPE",)),
    Rule(raw_bytes, ("DOMAIN_INVALID_FOR_TYPE",)),
    Rule(string_domain, ("ENUM_TYPE_INVALID_UTF8", "ENUM_TYPE_UNEXPECTED_STRING_VALUES")),
    Rule(
        bool_domain,
        (
            "BOOL_TYPE_SMALL_INT",
            "BOOL_TYPE_BIG_INT",
            "BOOL_TYPE_UNEXPECTED_FLOAT",
            "BOOL_TYPE_UNEXPECTED_STRING",
        ),
    ),
    Rule(
        int_domain,
        (
            "INT_TYPE_NOT_INT_STRING",
            "DOMAIN_INVALID_FOR_TYPE",
            "INT_TYPE_SMALL_INT",
            "INT_TYPE_BIG_INT",
        ),
    ),
    Rule(
        float_domain,
        (
            "FLOAT_TYPE_STRING_NOT_FLOAT",
            "FLOAT_TYPE_HAS_NAN",
            "FLOAT_TYPE_SMALL_FLOAT",
            "FLOAT_TYPE_BIG_FLOAT",
            "FLOAT_TYPE_HAS_INF",
        ),
    ),
    Rule(supported_images, ("LOW_SUPPORTED_IMAGE_FRACTION",)),
    Rule(image_bytes, ("MAX_IMAGE_BYTE_SIZE_EXCEEDED",)),
    Rule(
        natural_language,
        (
            "STATS_NOT_AVAILABLE",
            "FEATURE_COVERAGE_TOO_LOW",
            "FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH",
            "SEQUENCE_VALUE_TOO_SMALL_FRACTION",
            "SEQUENCE_VALUE_TOO_LARGE_FRACTION",
            "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES",
            "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES",
        ),
    ),
    Rule(semantic_update, ("SEMANTIC_DOMAIN_UPDATE",)),
    Rule(
        unique,
        (
            "FEATURE_TYPE_NO_UNIQUE",
            "FEATURE_TYPE_LOW_UNIQUE",
            "FEATURE_TYPE_HIGH_UNIQUE",
        ),
    ),
    Rule(drift_exceeded, DISTANCE_KINDS),
    Rule(missing_share_exceeded, DISTANCE_KINDS),
    Rule(no_control, ("COMPARATOR_CONTROL_DATA_MISSING",)),
    Rule(derived_source, ("DERIVED_FEATURE_INVALID_SOURCE",)),
    Rule(derived_stage, ("DERIVED_FEATURE_BAD_LIFECYCLE",)),
)
"""About the data of a feature that some row has."""

ABSENT_RULES = (Rule(missing_share_exceeded, DISTANCE_KINDS),)
"""About a feature that no row has, and none must have."""

BETWEEN = (
    "SCHEMA_NEW_COLUMN",
    "SCHEMA_MISSING_COLUMN",
    "FEATURE_TYPE_NOT_PRESENT",
)
"""Found by looking at which features the schema and the data have (`examine.py`)."""

COMPOSITE = (
    "SPARSE_FEATURE_MISSING_VALUE",
    "SPARSE_FEATURE_MISSING_INDEX",
    "SPARSE_FEATURE_LENGTH_MISMATCH",
    "SPARSE_FEATURE_NAME_COLLISION",
    "WEIGHTED_FEATURE_MISSING_VALUE",
    "WEIGHTED_FEATURE_MISSING_WEIGHT",
    "WEIGHTED_FEATURE_LENGTH_MISMATCH",
    "WEIGHTED_FEATURE_NAME_COLLISION",
)
"""About features made of others (`composite.py`)."""

DATASET = (
    "DATASET_LOW_NUM_EXAMPLES",
    "DATASET_HIGH_NUM_EXAMPLES",
    "COMPARATOR_LOW_NUM_EXAMPLES",
    "COMPARATOR_HIGH_NUM_EXAMPLES",
)
"""About the number of rows (`dataset.py`)."""

KINDS = frozenset(
    [
        *(kind for rule in (*SCHEMA_RULES, *DATA_RULES) for kind in rule.kinds),
        *BETWEEN,
        *COMPOSITE,
        *DATASET,
    ]
)
"""Every kind of anomaly that can be found."""
