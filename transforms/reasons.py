"""Why rows are rejected: stable codes, to group and filter by."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a row was rejected: stable codes, to group and filter by."""

    MISSING_VALUE = "missing_value"
    WRONG_TYPE = "wrong_type"
    OVERFLOW = "overflow"
    LOSSY_CAST = "lossy_cast"
    WRONG_SHAPE = "wrong_shape"
    RAGGED_LINE = "ragged_line"
    UNPARSABLE = "unparsable"
    INVALID_UTF8 = "invalid_utf8"
    MODEL_ERROR = "model_error"
    OUTPUT_ERROR = "output_error"
    PUBLISH_ERROR = "publish_error"
    UNREADABLE_FILE = "unreadable_file"
    TRUNCATED_FILE = "truncated_file"
    CHANGED_FILE = "changed_file"
    OVERSIZED = "oversized"
    LATE = "late"
    OUT_OF_RANGE = "out_of_range"
    NOT_IN_DOMAIN = "not_in_domain"
    NOT_FINITE = "not_finite"
    RULE_VIOLATED = "rule_violated"
    DUPLICATE = "duplicate"
    NOT_REDACTED = "not_redacted"
    NOT_REIDENTIFIED = "not_reidentified"


FILE_REASONS = frozenset({Reason.UNREADABLE_FILE, Reason.TRUNCATED_FILE, Reason.CHANGED_FILE})
"""Reasons of a dead letter that stands for a file: how many rows it lost is unknown."""
