"""Words in files and tables, and stored infoTypes: written into the config, so workers read none.

Engine cloud reads files of Cloud Storage by itself, and knows the stored infoTypes of its project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest

_CUSTOM = ("custom_info_types", "customInfoTypes")
_RULE_SETS, _EXCLUSION = ("rule_set", "ruleSet"), ("exclusion_rule", "exclusionRule")
_STORED = ("stored_type", "storedType")
_LARGE = ("large_custom_dictionary", "largeCustomDictionary")
_FILES = ("cloud_storage_path", "cloudStoragePath", "cloud_storage_file_set", "cloudStorageFileSet")
_TABLES = ("big_query_field", "bigQueryField")
_INLINE = 128_000
"""Bytes of words that a request to Cloud DLP may hold beside its rows."""


def with_words(config: Any, stored: Any, name: str, engine: str = "local") -> Any:
    """Returns an `InspectConfig` in its JSON form with the words of all files that it names.

    Args:
      config: As it stands in a policy.
      stored: Stored infoTypes: a config for each name.
      name: The policy's name.
      engine: The policy's.

    Raises:
      ConfigError: A file or table can't be read, there is no stored infoType of a name, or words
        are too many for requests to Cloud DLP.
    """
    if not isinstance(stored, Mapping):
        raise ConfigError(f"--policy {name}: stored_info_types must be a mapping of names")
    if not isinstance(config, Mapping):
        return config
    words, made = _Words(stored, name, engine == "cloud"), dict(config)
    for key in (*_CUSTOM, *_RULE_SETS):
        if isinstance(made.get(key), list):
            resolved = words.custom if key in _CUSTOM else words.rules
            made[key] = [resolved(each) for each in made[key]]
    return made


@dataclass(frozen=True)
class _Words:
    """Puts words where a policy names what holds them."""

    stored: Mapping[str, Any]
    name: str
    cloud: bool

    def custom(self, custom: Any) -> Any:
        """Returns a custom infoType with its words."""
        if not isinstance(custom, Mapping):
            return custom
        key = _key(custom, _STORED)
        if key is not None:
            found = self._stored(custom[key])
            if found is None:
                return custom
            rest = {each: value for each, value in custom.items() if each != key}
            return self.custom({**rest, **found})
        made = dict(custom)
        large = _key(made, _LARGE)
        if large is not None:
            made["dictionary"] = made.pop(large)
        return self._with_dictionary(made)

    def rules(self, rule_set: Any) -> Any:
        """Returns a set of rules whose exclusions have their words."""
        rules = rule_set.get("rules") if isinstance(rule_set, Mapping) else None
        if not isinstance(rules, list):
            return rule_set
        return {**rule_set, "rules": [self._rule(each) for each in rules]}

    def _rule(self, rule: Any) -> Any:
        key = _key(rule, _EXCLUSION) if isinstance(rule, Mapping) else None
        if key is None or not isinstance(rule[key], Mapping):
            return rule
        return {**rule, key: self._with_dictionary(rule[key])}

    def _with_dictionary(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        dictionary = given.get("dictionary")
        if not isinstance(dictionary, Mapping):
            return given
        words = self._dictionary(dictionary)
        return given if words is None else {**given, "dictionary": {"word_list": {"words": words}}}

    def _stored(self, reference: Any) -> Mapping[str, Any] | None:
        """Returns a stored infoType of the policy; None where Cloud DLP has to know it."""
        wanted = str(reference.get("name", "") if isinstance(reference, Mapping) else "")
        found = self.stored.get(wanted, self.stored.get(wanted.rpartition("/")[2]))
        if isinstance(found, Mapping):
            return found
        if self.cloud and "/" in wanted:
            return None
        near = nearest(wanted, list(self.stored))
        raise ConfigError(
            f"--policy {self.name}: stored_info_types has no {wanted!r}{near}: "
            + (
                "name one of Cloud DLP by projects/P/storedInfoTypes/ID"
                if self.cloud
                else "engine local knows those only that stand in the policy"
            )
        )

    def _dictionary(self, given: Mapping[str, Any]) -> list[str] | None:
        """Returns the words of a file or table; None where they are there, or the cloud's."""
        what = f"--policy {self.name}: dictionary"
        table, file = _key(given, _TABLES), _key(given, _FILES)
        if table is not None:
            words = words_of_table(given[table], what)
        elif file is not None and isinstance(given[file], Mapping):
            path = str(given[file].get("path") or given[file].get("url") or "")
            if self.cloud and path.startswith("gs://"):
                return None
            words = words_of_files(path, what)
        else:
            return None
        size = sum(len(word.encode()) + 2 for word in words)
        if self.cloud and size > _INLINE:
            raise ConfigError(
                f"{what} has {size:,} bytes of words, and a request to Cloud DLP has room for "
                f"{_INLINE:,}: make it a stored infoType there, or use engine: local"
            )
        return words


def words_of_files(path: str, what: str) -> list[str]:
    """Returns the lines of a file, or of the files of a glob or folder, that are not empty.

    Args:
      path: `gs://bucket/words.txt`, `gs://bucket/words/*`, or files of this machine.
      what: What names them in errors.

    Raises:
      ConfigError: One can't be read, or there is none.
    """
    from transforms.files.filesystem import list_files, read_text

    paths = [path]
    if "*" in path or path.endswith("/"):
        paths = [file.uri for file in list_files(path)]
        if not paths:
            raise ConfigError(f"{what} {path}: there is no such file")
    return _kept(line for each in paths for line in read_text(each, what).splitlines())


def words_of_table(field: Any, what: str) -> list[str]:
    """Returns the values of a column of a BigQuery table.

    Args:
      field: DLP's `BigQueryField`, in its JSON form: a table and a field.
      what: What names it in errors.

    Raises:
      ConfigError: It can't be read, or names no column.
    """
    from transforms.io.bigquery.read import read_table
    from transforms.io.bigquery.source import BigQuerySource

    given = field if isinstance(field, Mapping) else {}
    table, column = given.get("table") or {}, (given.get("field") or {}).get("name")
    parts = [table.get(key) or table.get(_camel(key)) for key in _PARTS]
    if not column or not all(parts):
        raise ConfigError(
            f"{what}: big_query_field needs a table ({', '.join(_PARTS)}) and a field"
        )
    uri = f"bq://{'.'.join(map(str, parts))}"
    try:
        source = BigQuerySource.resolve(uri).select([column])
    except ConfigError as error:
        raise ConfigError(f"{what}: {error}") from None
    found = (value for rows, _ in read_table(source) for value in rows.column(0).to_pylist())
    return _kept(str(value) for value in found if value is not None)


_PARTS = ("project_id", "dataset_id", "table_id")


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(each.title() for each in rest)


def _key(given: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    return next((key for key in keys if key in given), None)


def _kept(lines: Iterable[str]) -> list[str]:
    return [word for line in lines if (word := line.strip())]
