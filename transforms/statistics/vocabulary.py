"""What a natural-language domain of a schema asks of tokens, and its vocabulary."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import schema_pb2

from transforms.errors import ConfigError
from transforms.metadata.paths import Path, walk_features
from transforms.nearest import nearest_column

Token = int | str
"""As a schema names it: by its place in the vocabulary, or as text."""


@dataclass(frozen=True)
class TokenQuestions:
    """The questions that a schema asks about the tokens of a feature.

    Attributes:
      vocabulary: The texts of tokens by their numbers; None where every text is in it.
      unknown: Texts that stand for tokens outside the vocabulary.
      excluded: Tokens that do not count for the coverage.
      without_length: Tokens that do not count for the length of a sequence.
      counted: Tokens that get statistics of their own, each once.
    """

    vocabulary: pa.StringArray | None
    unknown: tuple[Token, ...]
    excluded: tuple[Token, ...]
    without_length: tuple[Token, ...]
    counted: tuple[Token, ...]


def token_questions_of(
    schema: schema_pb2.Schema, vocabularies: Mapping[str, str]
) -> Iterator[tuple[Path, TokenQuestions]]:
    """Yields the questions to the tokens of each feature with a natural-language domain.

    Args:
      schema: One that names a vocabulary that is not given is left out, as nothing can be said.
      vocabularies: URIs of text files of one token a line, by the names of the schema.

    Raises:
      ConfigError: A file can't be read, or the schema has no vocabulary of such a name.
    """
    domains = {
        path: feature.natural_language_domain
        for path, feature in walk_features(schema)
        if feature.natural_language_domain.ByteSize()
    }
    named = {domain.vocabulary for domain in domains.values() if domain.vocabulary}
    for name in vocabularies.keys() - named:
        near = nearest_column(name, sorted(named))
        raise ConfigError(f"the schema names no vocabulary {name!r}{near}")
    for path, domain in domains.items():
        if not domain.vocabulary or domain.vocabulary in vocabularies:
            uri = vocabularies.get(domain.vocabulary)
            yield path, _asked(domain, None if uri is None else _read(uri))


def _asked(
    domain: schema_pb2.NaturalLanguageDomain, vocabulary: pa.StringArray | None
) -> TokenQuestions:
    coverage, length = domain.coverage, domain.sequence_length_constraints
    named = (each.WhichOneof("value") for each in domain.token_constraints)
    counted = (
        getattr(each, name)
        for each, name in zip(domain.token_constraints, named, strict=True)
        if name is not None
    )
    return TokenQuestions(
        vocabulary,
        tuple(coverage.oov_string_tokens),
        (*coverage.excluded_int_tokens, *coverage.excluded_string_tokens),
        (*length.excluded_int_value, *length.excluded_string_value),
        tuple(dict.fromkeys(counted)),
    )


@lru_cache(maxsize=32)
def _read(uri: str) -> pa.StringArray:
    from transforms.files.filesystem import read_text

    lines = read_text(uri, "vocabulary", "UTF-8 text of one token a line").splitlines()
    return pc.utf8_trim_whitespace(pa.array(lines, pa.string()))
