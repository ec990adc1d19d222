"""Files of policies: YAML or JSON, with DLP's own words for what is looked for and what is done.

engine: local                     # or cloud
columns:
  structured: [card]              # one value in a cell: each different value is looked at once
  free_text: [notes]              # else every column of texts and whole numbers
  leave: [id]                     # passes as it is
inspect_config: {info_types: [{name: CREDIT_CARD_NUMBER}]}
deidentify_config: {...}          # as in DLP's API, camelCase or snake_case

A `crypto_key` may be a reference, `env:CARD_KEY`, in the place of DLP's message.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from privacy.policy.policy import Columns, Policy
from privacy.policy.protos import messages, parse
from transforms.errors import ConfigError
from transforms.nearest import nearest

_KEYS = (
    "engine columns inspect_config deidentify_config location inspect_template deidentify_template "
    "project per_minute"
).split()
_EXPORTED = frozenset("name display_name description create_time update_time".split())
_COLUMNS = ("free_text", "structured", "leave")
_ENGINES = ("local", "cloud")


def read_policy(uri: str) -> Policy:
    """Reads a policy, and checks its form.

    Args:
      uri: A YAML or JSON file; templates exported from DLP's console are policies too.

    Raises:
      ConfigError: It can't be read, or has a mistake; the text names the place.
    """
    from transforms.files.filesystem import read_text

    return parse_policy(read_text(uri, "--policy"), uri)


def parse_policy(text: str, name: str = "policy") -> Policy:
    """Parses a policy; see `read_policy`."""
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigError(f"--policy {name}: is no YAML or JSON{where}") from None
    return policy_of(content, name)


def policy_of(content: Any, name: str = "policy") -> Policy:
    """Makes a policy of a mapping; see `read_policy`."""
    if not isinstance(content, Mapping):
        raise ConfigError(f"--policy {name}: must be a mapping, with inspect_config")
    given = {_snake(str(key)): value for key, value in content.items()}
    for key in given:
        if key not in _KEYS and key not in _EXPORTED:
            raise ConfigError(f"--policy {name}: unknown key {key}{nearest(key, _KEYS)}")
    engine = given.get("engine", "local")
    if engine not in _ENGINES:
        raise ConfigError(f"--policy {name}: engine is local or cloud, not {engine!r}")
    return Policy(
        name,
        _config("inspect_config", given, name),
        _config("deidentify_config", given, name),
        _columns(given.get("columns") or {}, name),
        engine,
        given.get("location"),
        given.get("inspect_template"),
        given.get("deidentify_template"),
        secrets.token_bytes(32),
        given.get("project"),
        _per_minute(given.get("per_minute"), name),
    )


def _per_minute(given: Any, name: str) -> float | None:
    if given is None or (isinstance(given, int | float) and given > 0):
        return given
    raise ConfigError(f"--policy {name}: per_minute must be a number above 0")


def _snake(key: str) -> str:
    return re.sub("(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), key)


def _config(key: str, given: Mapping[str, Any], name: str) -> bytes:
    """Returns a config of DLP's, serialised; references of keys become names of transient ones."""
    from google.protobuf.json_format import ParseError

    kind = messages().inspect if key == "inspect_config" else messages().deidentify
    try:
        return parse(kind, _with_references(given.get(key) or {}))
    except ParseError as error:
        raise ConfigError(f"--policy {name}: {key}: {error}") from None


def _with_references(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {
            key: {"transient": {"name": value}}
            if _snake(str(key)) == "crypto_key" and isinstance(value, str)
            else _with_references(value)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_with_references(each) for each in content]
    return content


def _columns(content: Any, name: str) -> Columns:
    if not isinstance(content, Mapping):
        raise ConfigError(f"--policy {name}: columns must be a mapping of {', '.join(_COLUMNS)}")
    for key, value in content.items():
        if key not in _COLUMNS:
            raise ConfigError(
                f"--policy {name}: columns: unknown key {key}{nearest(key, _COLUMNS)}"
            )
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ConfigError(f"--policy {name}: columns.{key} must be a list of names")
    columns = Columns(**{key: tuple(value) for key, value in content.items()})
    twice = {each for each in columns.named if columns.named.count(each) > 1}
    if twice:
        raise ConfigError(f"--policy {name}: columns names {min(twice)!r} twice")
    return columns
