"""Natural language: how much of it the vocabulary covers, and how often tokens occur."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft, Mend
from transforms.schema.domains import domain_name
from transforms.words import number, quoted

_Tokens: TypeAlias = statistics_pb2.NaturalLanguageStatistics.TokenStatistics

# The field of a token's constraints, that of its statistics, whether it is a least, what is found.
_PER_TOKEN = (
    (
        "min_fraction_of_sequences",
        "fraction_of_sequences",
        True,
        "SEQUENCE_VALUE_TOO_SMALL_FRACTION",
        "Value occurs in too small a fraction of sequences.",
    ),
    (
        "max_fraction_of_sequences",
        "fraction_of_sequences",
        False,
        "SEQUENCE_VALUE_TOO_LARGE_FRACTION",
        "Value occurs in too large a fraction of sequences.",
    ),
    (
        "min_per_sequence",
        "per_sequence_min_frequency",
        True,
        "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES",
        "Value has too few per-sequence occurrences.",
    ),
    (
        "max_per_sequence",
        "per_sequence_max_frequency",
        False,
        "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES",
        "Value has too many per-sequence occurrences.",
    ),
)
_COVERAGE = (
    (
        "min_coverage",
        "feature_coverage",
        "FEATURE_COVERAGE_TOO_LOW",
        "Feature coverage is too low.",
        "share of tokens in the vocabulary",
    ),
    (
        "min_avg_token_length",
        "avg_token_length",
        "FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH",
        "Average token length is too short.",
        "average length of a token",
    ),
)


def natural_language(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `natural_language_domain`: coverage, and constraints of single tokens."""
    if domain_name(draft.feature) != "natural_language_domain":
        return
    domain, stats = draft.feature.natural_language_domain, _statistics(context.column)
    if stats is None:
        asked = [field for field, *_ in _COVERAGE if domain.coverage.HasField(field)]
        if asked or domain.token_constraints:
            yield _not_available("No statistics of natural language were computed")
        return
    yield from _coverage(domain.coverage, stats)
    tokens = {_token(each): each for each in stats.token_statistics}
    for at, constraint in enumerate(domain.token_constraints):
        token = _token(constraint)
        if token is None:
            continue
        if token not in tokens:
            name = quoted(str(token))
            yield _not_available(f"No statistics of token {name} were computed", at)
        else:
            yield from _of_token(at, constraint, tokens[token])


def _statistics(column: Column) -> statistics_pb2.NaturalLanguageStatistics | None:
    packed, stats = column.custom("nl_statistics"), statistics_pb2.NaturalLanguageStatistics()
    return stats if packed is not None and packed.any.Unpack(stats) else None


def _token(message: schema_pb2.SequenceValueConstraints | _Tokens) -> str | int | None:
    oneof = "value" if isinstance(message, schema_pb2.SequenceValueConstraints) else "token"
    held = message.WhichOneof(oneof)
    return None if held is None else getattr(message, held)


def _coverage(
    asked: schema_pb2.FeatureCoverageConstraints, stats: statistics_pb2.NaturalLanguageStatistics
) -> Iterator[Anomaly]:
    for field, figure, kind, short, what in _COVERAGE:
        least, found = getattr(asked, field), getattr(stats, figure)
        # A schema holds such bounds in 32 bits.
        if asked.HasField(field) and np.float32(found) < least:
            text = f"The {what} is {number(found)}; expected at least {number(least)}."
            yield Anomaly(kind, short, text, _set(_the_coverage, field, found))


def _of_token(
    at: int, asked: schema_pb2.SequenceValueConstraints, stats: _Tokens
) -> Iterator[Anomaly]:
    for field, figure, is_least, kind, short in _PER_TOKEN:
        bound, found = getattr(asked, field), getattr(stats, figure)
        found = float(np.float32(found)) if isinstance(found, float) else found
        if asked.HasField(field) and (found < bound if is_least else found > bound):
            word, name = "least" if is_least else "most", quoted(str(_token(asked)))
            text = (
                f"{figure} of token {name} is {number(found)}; expected at {word} {number(bound)}."
            )
            yield Anomaly(kind, short, text, _set(_constraint(at), field, found))


def _the_coverage(draft: Draft) -> schema_pb2.FeatureCoverageConstraints:
    return draft.feature.natural_language_domain.coverage


def _constraint(at: int) -> Callable[[Draft], schema_pb2.SequenceValueConstraints]:
    return lambda draft: draft.feature.natural_language_domain.token_constraints[at]


def _set(find: Callable[[Draft], object], field: str, value: float) -> Mend:
    def mend(draft: Draft) -> None:
        message = find(draft)
        setattr(message, field, type(getattr(message, field))(value))

    return mend


def _not_available(text: str, at: int | None = None) -> Anomaly:
    def mend(draft: Draft) -> None:
        domain = draft.feature.natural_language_domain
        if at is None:
            domain.ClearField("coverage")
            domain.ClearField("token_constraints")
        else:
            domain.token_constraints[at].ClearField("value")

    return Anomaly(
        "STATS_NOT_AVAILABLE",
        "Natural language stats are not computed.",
        f"{text}: the constraints can't be checked.",
        mend,
    )
