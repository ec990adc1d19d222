"""Natural language: from rows to the statistics of tokens, and to each anomaly of them."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.support import batch_of
from tests.transforms.schema.builders import kinds_of, schema_of
from transforms.errors import ConfigError
from transforms.schema import validate_statistics
from transforms.statistics import state
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.options import StatisticsOptions

WORDS = ["[PAD]", "[UNK]", "the", "cat", "sat"]
ROWS = [
    ["the", "cat", "[UNK]", "[PAD]"],
    ["the", "the", "sat", "[PAD]"],
    ["cat", None],
    [],
    None,
]


def domain(text, type="BYTES"):
    return schema_of(f"feature {{ name: 't' type: {type} natural_language_domain {{ {text} }} }}")


def language(made):
    (feature,) = made.datasets[0].features
    (custom,) = (each for each in feature.custom_stats if each.name == "nl_statistics")
    stats = statistics_pb2.NaturalLanguageStatistics()
    assert custom.any.Unpack(stats)
    return stats


def texts(rows=ROWS):
    return batch_of(t=pa.array(rows, pa.list_(pa.string())))


def numbers(rows=ROWS):
    places = [
        None if row is None else [None if word is None else WORDS.index(word) for word in row]
        for row in rows
    ]
    return batch_of(t=pa.array(places, pa.list_(pa.int64())))


@pytest.fixture
def vocabularies(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("".join(f"{word}\n" for word in WORDS))
    return {"words": str(path)}


COVERAGE = "coverage { oov_string_tokens: '[UNK]' excluded_string_tokens: '[PAD]' }"
LENGTH = "sequence_length_constraints { excluded_string_value: '[PAD]' }"
COUNTED = "token_constraints { string_value: 'the' }"


@pytest.mark.parametrize("made", [texts, numbers])
def test_texts_and_numbers_of_a_vocabulary_tell_the_same(made, vocabularies):
    schema = domain(f"vocabulary: 'words' {COVERAGE} {LENGTH} {COUNTED}")
    options = StatisticsOptions(schema=schema, vocabularies=vocabularies)
    stats = language(statistics_of([made()], options))
    assert stats.feature_coverage == 6 / 7
    assert stats.avg_token_length == 3
    assert (stats.min_sequence_length, stats.max_sequence_length) == (1, 3)
    ranks = [(bucket.label, bucket.sample_count) for bucket in stats.rank_histogram.buckets]
    assert ranks == [("the", 3), ("cat", 2), ("sat", 1)]
    (the,) = stats.token_statistics
    assert (the.string_token, the.frequency) == ("the", 3)
    # One of the four sequences has no tokens: it lacks this one, but has not too few of it.
    assert the.fraction_of_sequences == 2 / 4
    assert (the.per_sequence_min_frequency, the.per_sequence_max_frequency) == (0, 2)
    assert the.per_sequence_avg_frequency == 1.5
    places = [(bucket.low_value, bucket.sample_count) for bucket in the.positions.buckets]
    assert places == [(0, 2), (0.2, 1)]


@pytest.mark.parametrize("made", [texts, numbers])
@pytest.mark.parametrize(("excluded", "known"), [("0", 6 / 7), ("[0, 2]", 3 / 4)])
def test_tokens_by_number(made, excluded, known, vocabularies):
    schema = domain(
        f"vocabulary: 'words' coverage {{ oov_string_tokens: '[UNK]'"
        f" excluded_int_tokens: {excluded} }} token_constraints {{ int_value: 3 }}"
    )
    options = StatisticsOptions(schema=schema, vocabularies=vocabularies)
    stats = language(statistics_of([made()], options))
    assert stats.feature_coverage == known
    (cat,) = stats.token_statistics
    assert (cat.int_token, cat.frequency) == (3, 2)


def test_what_the_vocabulary_does_not_have_is_not_covered(vocabularies):
    schema = domain("vocabulary: 'words'")
    options = StatisticsOptions(schema=schema, vocabularies=vocabularies)
    assert language(statistics_of([texts([["the", "dog"]])], options)).feature_coverage == 0.5
    ids = batch_of(t=[[2, 5], [-1, 4]])
    assert language(statistics_of([ids], options)).feature_coverage == 0.5


def test_texts_without_lists_and_bytes_and_structs():
    schema = schema_of(
        "feature { name: 's' type: STRUCT struct_domain { feature { name: 't' type: BYTES"
        " natural_language_domain { token_constraints { string_value: 'a' } } } } }"
    )
    batch = batch_of(s=[{"t": b"a"}, {"t": b"\xff"}, None, {"t": None}])
    made = statistics_of([batch], StatisticsOptions(schema=schema))
    del made.datasets[0].features[0]
    (a,) = language(made).token_statistics
    assert (a.frequency, a.fraction_of_sequences) == (1, 0.5)


ANOMALIES = [
    ("coverage { min_coverage: 0.9 oov_string_tokens: '[UNK]' }", "FEATURE_COVERAGE_TOO_LOW"),
    (
        "coverage { min_avg_token_length: 4 excluded_string_tokens: ['[UNK]', '[PAD]'] }",
        "FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH",
    ),
    (
        "token_constraints { string_value: 'the' min_fraction_of_sequences: 0.6 }",
        "SEQUENCE_VALUE_TOO_SMALL_FRACTION",
    ),
    (
        "token_constraints { string_value: 'the' max_fraction_of_sequences: 0.4 }",
        "SEQUENCE_VALUE_TOO_LARGE_FRACTION",
    ),
    (
        "token_constraints { string_value: 'the' min_per_sequence: 1 }",
        "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES",
    ),
    (
        "token_constraints { string_value: 'the' max_per_sequence: 1 }",
        "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES",
    ),
    ("vocabulary: 'elsewhere' coverage { min_coverage: 0.1 }", "STATS_NOT_AVAILABLE"),
]


@pytest.mark.parametrize(("text", "kind"), ANOMALIES)
def test_from_rows_to_the_anomaly(text, kind):
    schema = domain(text)
    made = statistics_of([texts()], StatisticsOptions(schema=schema))
    assert kinds_of(validate_statistics(made, schema)) == {"t": [kind]}


def test_from_numbers_to_the_anomaly(vocabularies):
    schema = domain(
        "vocabulary: 'words' coverage { min_coverage: 0.95 oov_string_tokens: '[UNK]' }"
        " token_constraints { int_value: 2 max_per_sequence: 1 }",
        "INT",
    )
    options = StatisticsOptions(schema=schema, vocabularies=vocabularies)
    found = validate_statistics(statistics_of([numbers()], options), schema)
    assert kinds_of(found) == {
        "t": ["FEATURE_COVERAGE_TOO_LOW", "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES"]
    }


def test_what_is_met_is_no_anomaly():
    schema = domain(
        "coverage { min_coverage: 0.9 min_avg_token_length: 3.5 oov_string_tokens: '[UNK]' }"
        " token_constraints { string_value: 'the' min_fraction_of_sequences: 0.5"
        " max_fraction_of_sequences: 0.5 min_per_sequence: 0 max_per_sequence: 2 }"
    )
    made = statistics_of([texts()], StatisticsOptions(schema=schema))
    assert language(made).feature_coverage == 8 / 9
    schema.feature[0].natural_language_domain.coverage.min_coverage = 0.88
    assert kinds_of(validate_statistics(made, schema)) == {}


def test_nothing_is_told_of_an_empty_domain_or_of_floats():
    for schema, batch in ((domain(""), texts()), (domain(COVERAGE), batch_of(t=[[0.5]]))):
        (feature,) = statistics_of([batch], StatisticsOptions(schema=schema)).datasets[0].features
        assert "nl_statistics" not in {each.name for each in feature.custom_stats}


def test_sequences_without_any_token():
    batch = batch_of(t=pa.array([[], []], pa.list_(pa.null())))
    schema = domain("token_constraints { string_value: 'a' min_fraction_of_sequences: 0.5 }")
    made = statistics_of([batch], StatisticsOptions(schema=schema))
    found = validate_statistics(made, schema)
    assert kinds_of(found) == {"t": ["SEQUENCE_VALUE_TOO_SMALL_FRACTION"]}


def test_vocabularies_that_are_wrong(tmp_path):
    def check(**vocabularies):
        options = StatisticsOptions(schema=domain("vocabulary: 'words'"), vocabularies=vocabularies)
        options.check(texts().schema)

    with pytest.raises(ConfigError, match="give the schema too"):
        StatisticsOptions(vocabularies={"words": "x"})
    with pytest.raises(ConfigError, match="no vocabulary 'word'; did you mean 'words'"):
        check(word="x")
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        check(words=str(tmp_path / "no"))
    (tmp_path / "bytes").write_bytes(b"\xff\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        check(words=str(tmp_path / "bytes"))


WORD = st.sampled_from(["a", "bb", "", "ä", "oov", "pad"])
SEQUENCES = st.lists(st.one_of(st.none(), st.lists(WORD, max_size=5)), max_size=6)
SCHEMA = domain(
    "coverage { oov_string_tokens: 'oov' excluded_string_tokens: 'pad' }"
    " sequence_length_constraints { excluded_string_value: 'pad' }"
    " token_constraints { string_value: 'a' } token_constraints { int_value: 7 }"
)


@given(SEQUENCES, SEQUENCES)
def test_parts_merged_by_way_of_a_file_are_what_rows_tell(one, other):
    options = StatisticsOptions(schema=SCHEMA)

    def collected(rows):
        collector = Collector(options)
        collector.add(texts(rows))
        return state.from_batches(state.to_batches(collector.slices()))

    stats = language(described(merged([collected(one), collected(other)]), options))
    rows = [row for row in (*one, *other) if row is not None]
    flat = [word for row in rows for word in row if word != "pad"]
    known = [word for word in flat if word != "oov"]
    assert stats.feature_coverage == (len(known) / len(flat) if flat else 0)
    mean = sum(map(len, known)) / len(known) if known else 0
    assert stats.avg_token_length == pytest.approx(mean)
    ranks = {bucket.label: bucket.sample_count for bucket in stats.rank_histogram.buckets}
    assert ranks == Counter(known)
    lengths = [len(row) - row.count("pad") for row in rows if row]
    assert stats.min_sequence_length == min(lengths, default=0)
    assert stats.max_sequence_length == max(lengths, default=0)
    a, seven = stats.token_statistics
    assert seven == statistics_pb2.NaturalLanguageStatistics.TokenStatistics(int_token=7)
    often = [row.count("a") for row in rows if row]
    assert a.frequency == sum(often)
    if sum(often):
        assert a.fraction_of_sequences == sum(map(bool, often)) / len(rows)
        assert a.per_sequence_min_frequency == min(often)
        assert a.per_sequence_max_frequency == max(often)
        places = Counter(
            int(at / len(row) * 10) / 10
            for row in rows
            for at, word in enumerate(row)
            if word == "a"
        )
        assert {b.low_value: b.sample_count for b in a.positions.buckets} == places
