"""For each kind of anomaly, data that has it, and nearly the same that has not."""

import math
from dataclasses import dataclass, field

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.transforms.schema.builders import schema_of, stats_from, stats_of

NAN, INF = math.nan, math.inf


@dataclass
class Case:
    """`bad` has the anomaly, and with `good` in its place there is none.

    `good` holds those of `schema`, `stats`, `previous_span` and so on that are different then.
    """

    kind: str
    schema: str
    stats: object
    good: dict
    path: str = "x"
    short: str = ""
    more: dict = field(default_factory=dict)
    also: tuple = ()

    def arguments(self, good=False):
        given = {"schema": self.schema, "statistics": self.stats, **self.more}
        if good:
            given |= self.good
        return {**given, "schema": schema_of(given["schema"])}


def x(body):
    return f'feature {{ name: "x" {body} }}'


def nested(levels):
    text = "".join(
        f"presence_and_valency_stats {{ num_non_missing: 3 min_num_values: {least} "
        f"max_num_values: {most} }} "
        for least, most in levels
    )
    return stats_from(
        f"""num_examples: 3 features {{ path {{ step: "x" }} type: INT num_stats {{ common_stats {{
        num_non_missing: 3 min_num_values: 1 max_num_values: 1 tot_num_values: 3 {text} }}
        }} }}"""
    )


def custom(text, kind="STRING"):
    return stats_from(
        f"""num_examples: 9 features {{ path {{ step: "x" }} type: {kind} {text} }}"""
    )


def images(**formats):
    buckets = "".join(
        f'buckets {{ label: "{name}" sample_count: {count} }} ' for name, count in formats.items()
    )
    return custom(
        f"""bytes_stats {{ common_stats {{ num_non_missing: 9 }} }}
        custom_stats {{ name: "image_format_histogram" rank_histogram {{ {buckets} }} }}""",
        "BYTES",
    )


def language(text):
    data = custom("string_stats { common_stats { num_non_missing: 9 } }")
    told = text_format.Parse(text, statistics_pb2.NaturalLanguageStatistics())
    data.datasets[0].features[0].custom_stats.add(name="nl_statistics").any.Pack(told)
    return data


def token(name, **figures):
    inner = " ".join(f"{key}: {value}" for key, value in figures.items())
    return language(f'token_statistics {{ string_token: "{name}" {inner} }}')


def counted(name, *pairs):
    buckets = "".join(f'buckets {{ label: "{k}" sample_count: {n} }} ' for k, n in pairs)
    return custom(f'custom_stats {{ name: "{name}" rank_histogram {{ {buckets} }} }}')


def figure(name, value):
    return custom(f'custom_stats {{ name: "{name}" num: {value} }}')


DERIVED = 'validation_derived_source { deriver_name: "d" }'
DERIVED_STATS = custom(
    f"num_stats {{ common_stats {{ num_non_missing: 9 }} }} {DERIVED}", kind="INT"
)
ABC = "type: BYTES string_domain { value: 'a' value: 'b' }"
NL = "type: BYTES natural_language_domain { %s }"
SPARSE = 'sparse_feature { name: "x" }'
WEIGHTED = 'weighted_feature { name: "x" }'
DRIFT = "type: BYTES drift_comparator { %s { threshold: 0.1 } }"
ROWS = "dataset_constraints { %s }"
FEW, MANY = stats_of(y=["a"] * 5), stats_of(y=["a"] * 10)
Y = 'feature { name: "y" type: BYTES } '

CASES = [
    # Which features there are.
    Case("SCHEMA_NEW_COLUMN", Y, stats_of(x=[1], y=["a"]), {"schema": x("type: INT") + Y}),
    Case(
        "SCHEMA_NEW_COLUMN",
        x('type: INT not_in_environment: "A"') + ' default_environment: ["A", "B"]',
        stats_of(x=[1]),
        {"environment": "B"},
        more={"environment": "A"},
        short="Column missing in environment",
    ),
    Case(
        "SCHEMA_MISSING_COLUMN",
        x("type: INT presence { min_count: 1 }") + Y,
        stats_of(y=["a"]),
        {"schema": x("type: INT presence { min_count: 0 }") + Y},
    ),
    Case(
        "FEATURE_TYPE_NOT_PRESENT",
        x("type: BYTES presence { min_count: 1 }"),
        stats_of(x=[None, None]),
        {"statistics": stats_of(x=["a", None])},
    ),
    # Presence, number of values, shape, type, distinct values.
    Case(
        "FEATURE_TYPE_LOW_NUMBER_PRESENT",
        x("type: INT presence { min_count: 3 }"),
        stats_of(x=[1, 1, None]),
        {"statistics": stats_of(x=[1, 1, 1])},
    ),
    Case(
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        x("type: INT presence { min_fraction: 0.5 }"),
        stats_of(x=[1, None, None]),
        {"statistics": stats_of(x=[1, None])},
    ),
    Case(
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        x("type: INT presence { min_fraction: 1 }"),
        stats_of(x=[1] * 99 + [None]),
        {"statistics": stats_of(x=[1] * 99)},
    ),
    Case(
        "FEATURE_TYPE_LOW_NUMBER_VALUES",
        x("type: INT value_count { min: 2 }"),
        stats_of(x=[[1, 2], [1]]),
        {"statistics": stats_of(x=[[1, 2], [1, 2]])},
    ),
    Case(
        "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        x("type: INT value_count { max: 1 }"),
        stats_of(x=[[1, 2], [1]]),
        {"statistics": stats_of(x=[[1], [1]])},
    ),
    Case(
        "FEATURE_TYPE_LOW_NUMBER_VALUES",
        x("type: INT value_counts { value_count { min: 1 } value_count { min: 2 } }"),
        nested([(1, 1), (1, 2)]),
        {"statistics": nested([(1, 1), (2, 2)])},
    ),
    Case(
        "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        x("type: INT value_counts { value_count { max: 1 } value_count { max: 2 } }"),
        nested([(1, 1), (1, 3)]),
        {"statistics": nested([(1, 1), (1, 2)])},
    ),
    Case(
        "VALUE_NESTEDNESS_MISMATCH",
        x("type: INT value_count { min: 1 }"),
        nested([(1, 1), (1, 1)]),
        {"statistics": stats_of(x=[1])},
    ),
    Case(
        "VALUE_NESTEDNESS_MISMATCH",
        x("type: INT value_counts { value_count { min: 1 } value_count { min: 1 } }"),
        nested([(1, 1), (1, 1), (1, 1)]),
        {"statistics": nested([(1, 1), (1, 1)])},
    ),
    Case(
        "INVALID_FEATURE_SHAPE",
        x("type: INT shape { dim { size: 2 } }"),
        stats_of(x=[[1, 2, 3], [1, 2, 3]]),
        {"statistics": stats_of(x=[[1, 2], [1, 2]])},
    ),
    Case(
        "INVALID_FEATURE_SHAPE",
        x("type: INT shape { dim { size: 1 } }"),
        stats_of(x=[1, None]),
        {"statistics": stats_of(x=[1, 1])},
    ),
    Case(
        "UNEXPECTED_DATA_TYPE",
        x("type: INT"),
        stats_of(x=[1.5]),
        {"statistics": stats_of(x=[1])},
    ),
    Case(
        "FEATURE_TYPE_LOW_UNIQUE",
        x("type: BYTES unique_constraints { min: 3 }"),
        stats_of(x=["a", "b"]),
        {"statistics": stats_of(x=["a", "b", "c", "d"])},
    ),
    Case(
        "FEATURE_TYPE_HIGH_UNIQUE",
        x("type: BYTES unique_constraints { max: 1 }"),
        stats_of(x=["a", "b"]),
        {"statistics": stats_of(x=["a", "a"])},
    ),
    Case(
        "FEATURE_TYPE_NO_UNIQUE",
        x("type: INT unique_constraints { min: 1 max: 5 }"),
        stats_of(x=[1, 2]),
        {"schema": x("type: INT")},
    ),
    # Domains.
    Case(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        x(ABC),
        stats_of(x=["a", "c"]),
        {"statistics": stats_of(x=["a", "b"])},
    ),
    Case(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        x("type: BYTES domain: 'd' distribution_constraints { min_domain_mass: 0.9 }")
        + "string_domain { name: 'd' value: 'a' }",
        stats_of(x=["a"] * 8 + ["c"]),
        {"statistics": stats_of(x=["a"] * 9 + ["c"])},
    ),
    Case(
        "ENUM_TYPE_INVALID_UTF8",
        x(ABC),
        stats_of(x=["a", "__BYTES_VALUE__"]),
        {"statistics": stats_of(x=["a"])},
    ),
    Case(
        "INT_TYPE_SMALL_INT",
        x("type: INT int_domain { min: 2 }"),
        stats_of(x=[1, 5]),
        {"statistics": stats_of(x=[2, 5])},
    ),
    Case(
        "INT_TYPE_BIG_INT",
        x("type: INT int_domain { max: 9007199254740995 }"),
        stats_of(x=[1, 2**53 + 4]),
        {"statistics": stats_of(x=[1, 2**53 + 3])},
    ),
    Case(
        "INT_TYPE_BIG_INT",
        x("type: BYTES int_domain { max: 5 }"),
        stats_of(x=["6"]),
        {"statistics": stats_of(x=[" 5 "])},
    ),
    Case(
        "INT_TYPE_NOT_INT_STRING",
        x("type: BYTES int_domain {}"),
        stats_of(x=["6", "six"]),
        {"statistics": stats_of(x=["6"])},
    ),
    Case(
        "DOMAIN_INVALID_FOR_TYPE",
        x("type: INT int_domain { max: 5 }"),
        custom("num_stats { common_stats { num_non_missing: 9 } max: 1e20 }", "INT"),
        {"schema": x("type: INT int_domain {}")},
        short="Invalid values",
    ),
    Case(
        "FLOAT_TYPE_SMALL_FLOAT",
        x("type: FLOAT float_domain { min: 0.1 }"),
        stats_of(x=[0.099999999, 1.0]),
        {"statistics": stats_of(x=[0.1, 1.0])},
    ),
    Case(
        "FLOAT_TYPE_BIG_FLOAT",
        x("type: FLOAT float_domain { max: 0.7 }"),
        stats_of(x=[0.0, 0.70000001]),
        {"statistics": stats_of(x=[0.0, 0.7])},
    ),
    Case(
        "FLOAT_TYPE_STRING_NOT_FLOAT",
        x("type: BYTES float_domain {}"),
        stats_of(x=["1.5", "high"]),
        {"statistics": stats_of(x=["1.5", "inf"])},
    ),
    Case(
        "FLOAT_TYPE_HAS_NAN",
        x("type: FLOAT float_domain { disallow_nan: true }"),
        stats_of(x=[1.0, NAN]),
        {"statistics": stats_of(x=[1.0, INF])},
    ),
    Case(
        "FLOAT_TYPE_HAS_NAN",
        x("type: BYTES float_domain { disallow_nan: true }"),
        stats_of(x=["1", "nan"]),
        {"statistics": stats_of(x=["1"])},
    ),
    Case(
        "FLOAT_TYPE_HAS_INF",
        x("type: FLOAT float_domain { disallow_inf: true }"),
        stats_of(x=[1.0, -INF]),
        {"statistics": stats_of(x=[1.0, NAN])},
    ),
    Case(
        "BOOL_TYPE_SMALL_INT",
        x("type: INT bool_domain {}"),
        stats_of(x=[-1, 1]),
        {"statistics": stats_of(x=[0, 1])},
    ),
    Case(
        "BOOL_TYPE_BIG_INT",
        x("type: INT bool_domain {}"),
        stats_of(x=[0, 2]),
        {"statistics": stats_of(x=[0, 0])},
    ),
    Case(
        "BOOL_TYPE_UNEXPECTED_FLOAT",
        x("type: FLOAT bool_domain {}"),
        stats_of(x=[0.0, 0.5, 0.6, 1.0]),
        {"statistics": stats_of(x=[0.0, 1.0, 1.0, 1.0])},
    ),
    Case(
        "BOOL_TYPE_UNEXPECTED_FLOAT",
        x("type: FLOAT bool_domain {}"),
        stats_of(x=[0.0, 1.0, NAN]),
        {"statistics": stats_of(x=[0.0, 1.0])},
    ),
    Case(
        "BOOL_TYPE_UNEXPECTED_STRING",
        x("type: BYTES bool_domain { true_value: 'yes' false_value: 'no' }"),
        stats_of(x=["yes", "maybe"]),
        {"statistics": stats_of(x=["yes", "no"])},
    ),
    Case(
        "DOMAIN_INVALID_FOR_TYPE",
        x("type: INT string_domain {}"),
        stats_of(x=[1]),
        {"schema": x("type: INT")},
    ),
    Case(
        "DOMAIN_INVALID_FOR_TYPE",
        x("type: BYTES mid_domain {}"),
        stats_of(x=[b"\xff"]),
        {"schema": x("type: BYTES url_domain {}")},
    ),
    Case(
        "SEMANTIC_DOMAIN_UPDATE",
        x("type: BYTES"),
        custom(
            "string_stats { common_stats { num_non_missing: 9 } } "
            "custom_stats { name: 'domain_info' str: 'image_domain {}' }"
        ),
        {"schema": x("type: BYTES image_domain {}")},
    ),
    Case(
        "LOW_SUPPORTED_IMAGE_FRACTION",
        x("type: BYTES image_domain { minimum_supported_image_fraction: 0.75 }"),
        images(JPEG=7, UNKNOWN=3),
        {"statistics": images(JPEG=4, PNG=4, UNKNOWN=2)},
    ),
    Case(
        "MAX_IMAGE_BYTE_SIZE_EXCEEDED",
        x("type: BYTES image_domain { max_image_byte_size: 3 }"),
        stats_of(x=[b"four"]),
        {"statistics": stats_of(x=[b"six"])},
    ),
    Case(
        "FEATURE_COVERAGE_TOO_LOW",
        x(NL % "coverage { min_coverage: 0.5 }"),
        language("feature_coverage: 0.25"),
        {"statistics": language("feature_coverage: 0.5")},
    ),
    Case(
        "FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH",
        x(NL % "coverage { min_avg_token_length: 3 }"),
        language("avg_token_length: 2.5"),
        {"statistics": language("avg_token_length: 3")},
    ),
    Case(
        "SEQUENCE_VALUE_TOO_SMALL_FRACTION",
        x(NL % "token_constraints { string_value: 't' min_fraction_of_sequences: 0.5 }"),
        token("t", fraction_of_sequences=0.25),
        {"statistics": token("t", fraction_of_sequences=0.5)},
    ),
    Case(
        "SEQUENCE_VALUE_TOO_LARGE_FRACTION",
        x(NL % "token_constraints { string_value: 't' max_fraction_of_sequences: 0.5 }"),
        token("t", fraction_of_sequences=0.75),
        {"statistics": token("t", fraction_of_sequences=0.5)},
    ),
    Case(
        "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES",
        x(NL % "token_constraints { string_value: 't' min_per_sequence: 2 }"),
        token("t", per_sequence_min_frequency=1),
        {"statistics": token("t", per_sequence_min_frequency=2)},
    ),
    Case(
        "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES",
        x(NL % "token_constraints { string_value: 't' max_per_sequence: 2 }"),
        token("t", per_sequence_max_frequency=3),
        {"statistics": token("t", per_sequence_max_frequency=2)},
    ),
    Case(
        "STATS_NOT_AVAILABLE",
        x(NL % "coverage { min_coverage: 0.5 }"),
        stats_of(x=["a b"]),
        {"statistics": language("feature_coverage: 0.5")},
    ),
    Case(
        "STATS_NOT_AVAILABLE",
        x(NL % "token_constraints { int_value: 7 min_per_sequence: 0 }"),
        token("7"),
        {"statistics": language("token_statistics { int_token: 7 }")},
    ),
    # The schema itself.
    Case(
        "FEATURE_MISSING_NAME",
        "feature { type: INT } " + Y,
        stats_from(
            'num_examples: 1 features { path { step: "" } type: INT '
            "num_stats { common_stats { num_non_missing: 1 } } }"
        ),
        {"schema": 'feature { name: "" type: INT } ' + Y},
        path="''",
    ),
    Case(
        "FEATURE_MISSING_TYPE",
        x("string_domain { value: 'a' }"),
        stats_of(x=["a"]),
        {"schema": x("type: BYTES string_domain { value: 'a' }")},
    ),
    Case("FEATURE_MISSING_TYPE", x(""), stats_of(x=[1]), {"schema": x("type: INT")}),
    *[
        Case("INVALID_SCHEMA_SPECIFICATION", x(wrong), stats, {"schema": x(right)})
        for wrong, right, stats in [
            ("type: INT presence { min_fraction: -1 }", "type: INT presence {}", stats_of(x=[1])),
            (
                "type: INT presence { min_fraction: 1.5 }",
                "type: INT presence { min_fraction: 1 }",
                stats_of(x=[1]),
            ),
            ("type: INT value_count { min: -1 }", "type: INT", stats_of(x=[1])),
            (
                "type: INT value_count { min: 2 max: 1 }",
                "type: INT value_count { min: 2 max: 2 }",
                stats_of(x=[[1, 1]]),
            ),
            ("type: BYTES domain: 'none'", "type: BYTES", stats_of(x=["a"])),
            (
                "type: INT int_domain {} distribution_constraints {}",
                "type: INT int_domain {}",
                stats_of(x=[1]),
            ),
            ("type: INT distribution_constraints {}", "type: INT", stats_of(x=[1])),
            (
                "type: BYTES url_domain {} distribution_constraints {}",
                "type: BYTES url_domain {}",
                stats_of(x=["a"]),
            ),
        ]
    ],
    Case(
        "INVALID_DOMAIN_SPECIFICATION",
        x("type: BYTES bool_domain { true_value: 'y' false_value: 'y' }"),
        stats_of(x=["y"]),
        {"schema": x("type: BYTES bool_domain { true_value: 'y' false_value: 'n' }")},
    ),
    Case(
        "INVALID_DOMAIN_SPECIFICATION",
        x("type: BYTES domain: 'd'") + "string_domain { name: 'd' value: 'a' value: 'a' }",
        stats_of(x=["a"]),
        {"schema": x("type: BYTES domain: 'd'") + "string_domain { name: 'd' value: 'a' }"},
    ),
    Case(
        "SPARSE_FEATURE_NAME_COLLISION",
        SPARSE + x("type: INT"),
        stats_of(x=[1]),
        {"schema": x("type: INT")},
    ),
    Case(
        "SPARSE_FEATURE_MISSING_VALUE",
        SPARSE,
        figure("missing_value", 2),
        {"statistics": figure("missing_value", 0)},
    ),
    Case(
        "SPARSE_FEATURE_MISSING_INDEX",
        SPARSE,
        counted("missing_index", ("i", 0), ("j", 2)),
        {"statistics": counted("missing_index", ("i", 0), ("j", 0))},
    ),
    Case(
        "SPARSE_FEATURE_LENGTH_MISMATCH",
        SPARSE,
        counted("min_length_diff", ("i", -1)),
        {"statistics": counted("max_length_diff", ("i", 0))},
    ),
    Case(
        "WEIGHTED_FEATURE_NAME_COLLISION",
        WEIGHTED + x("type: INT"),
        stats_of(x=[1]),
        {"schema": x("type: INT")},
    ),
    Case(
        "WEIGHTED_FEATURE_MISSING_VALUE",
        WEIGHTED,
        figure("missing_value", 2),
        {"statistics": figure("missing_value", 0)},
    ),
    Case(
        "WEIGHTED_FEATURE_MISSING_WEIGHT",
        WEIGHTED,
        figure("missing_weight", 2),
        {"statistics": figure("missing_weight", 0)},
    ),
    Case(
        "WEIGHTED_FEATURE_LENGTH_MISMATCH",
        WEIGHTED,
        figure("min_weight_length_diff", -1),
        {"statistics": figure("max_weight_length_diff", 0)},
    ),
    Case(
        "DERIVED_FEATURE_INVALID_SOURCE",
        x("type: INT"),
        DERIVED_STATS,
        {"schema": x(f"type: INT lifecycle_stage: VALIDATION_DERIVED {DERIVED}")},
    ),
    Case(
        "DERIVED_FEATURE_BAD_LIFECYCLE",
        x(f"type: INT {DERIVED}"),
        DERIVED_STATS,
        {"schema": x(f"type: INT lifecycle_stage: VALIDATION_DERIVED {DERIVED}")},
    ),
    # Comparisons.
    *[
        Case(
            f"COMPARATOR_{kind}_HIGH",
            x(DRIFT % comparator),
            stats_of(x=["a"] * 6 + ["b"] * 4),
            {"previous_span": stats_of(x=["a"] * 5 + ["b"] * 4)},
            more={"previous_span": stats_of(x=["a", "b", "b", "b"] * 3)},
        )
        for comparator, kind in [
            ("infinity_norm", "L_INFTY"),
            ("normalized_abs_difference", "NORMALIZED_ABSOLUTE_DIFFERENCE"),
        ]
    ],
    Case(
        "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        x("type: INT skew_comparator { jensen_shannon_divergence { threshold: 0.1 } }"),
        stats_of(x=list(range(100))),
        {"serving": stats_of(x=list(range(3, 103)))},
        more={"serving": stats_of(x=list(range(50, 150)))},
    ),
    Case(
        "COMPARATOR_CONTROL_DATA_MISSING",
        x(DRIFT % "infinity_norm"),
        stats_of(x=["a"]),
        {"previous_span": stats_of(x=["a"])},
        more={"previous_span": stats_of(y=["a"])},
    ),
    Case(
        "DATASET_LOW_NUM_EXAMPLES",
        Y + ROWS % "min_examples_count: 6",
        FEW,
        {"statistics": MANY},
        path="",
    ),
    Case(
        "DATASET_HIGH_NUM_EXAMPLES",
        Y + ROWS % "max_examples_count: 6",
        MANY,
        {"statistics": FEW},
        path="",
    ),
    *[
        Case(
            f"COMPARATOR_{side}_NUM_EXAMPLES",
            Y + ROWS % f"{field_} {{ {bound}: {threshold} }}",
            stats,
            {control: stats},
            path="",
            more={control: other},
        )
        for field_, control in [
            ("num_examples_drift_comparator", "previous_span"),
            ("num_examples_version_comparator", "previous_version"),
        ]
        for side, bound, threshold, stats, other in [
            ("LOW", "min_fraction_threshold", 0.6, FEW, MANY),
            ("HIGH", "max_fraction_threshold", 1.9, MANY, FEW),
        ]
    ],
]
