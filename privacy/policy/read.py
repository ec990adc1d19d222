"""Files of policies: YAML or JSON, with DLP's own words for what is looked for and what is done.

engine: local                     # or cloud
columns:
  structured: [card]              # one value in a cell: each different value is looked at once
  free_text: [notes]              # else every column of texts and whole numbers
  leave: [id]                     # passes as it is
  json: [payload]                 # JSON in texts; its values have paths, such as payload.user.name
inspect_config: {info_types: [{name: CREDIT_CARD_NUMBER}]}
deidentify_config: {...}          # as in DLP's API, camelCase or snake_case

detectors: {PERSON_NAME: my_names:find}    # MODULE:FUNCTION or FILE.py:FUNCTION: texts to spans
retired: [...]                    # transformations of earlier keys, whose tokens are taken back
inspect_template: inspect.json    # in place of inspect_config: a template exported from DLP
stored_info_types: {codes: {dictionary: {cloud_storage_path: {path: codes.txt}}}}

A `crypto_key` may be a reference, `env:CARD_KEY`, in the place of DLP's message.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from privacy.policy.policy import Columns, Policy
from privacy.policy.protos import messages, parse
from privacy.policy.words import with_words
from transforms.errors import ConfigError
from transforms.nearest import nearest
from transforms.user_code import Code

_KEYS = (
    "engine columns inspect_config deidentify_config location inspect_template deidentify_template "
    "project per_minute detectors stored_info_types retired"
).split()
_EXPORTED = frozenset("name display_name description create_time update_time".split())
_COLUMNS = ("free_text", "structured", "leave", "json")
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
    return policy_of(content_of(text, name), name)


def content_of(text: str, name: str) -> Any:
    """Returns what a file of a policy holds, before its form is checked.

    Raises:
      ConfigError: It is neither YAML nor JSON.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigError(f"--policy {name}: is no YAML or JSON{where}") from None


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
    for key in ("inspect_template", "deidentify_template"):
        _put_file(given, key, name)
    if given.get("inspect_config"):
        stored = given.get("stored_info_types") or {}
        given["inspect_config"] = with_words(given["inspect_config"], stored, name, engine)
    return Policy(
        name,
        _config("inspect_config", given, name),
        _config("deidentify_config", given, name),
        _columns(given.get("columns") or {}, name, engine),
        engine,
        given.get("location"),
        given.get("inspect_template"),
        given.get("deidentify_template"),
        secrets.token_bytes(32),
        given.get("project"),
        _per_minute(given.get("per_minute"), name),
        _detectors(given.get("detectors") or {}, name),
        _retired(given.get("retired") or [], name),
    )


def _retired(given: Any, name: str) -> bytes:
    """Returns the transformations of earlier keys as a `DeidentifyConfig`, serialised."""
    if not isinstance(given, list):
        raise ConfigError(f"--policy {name}: retired must be a list of transformations")
    config = {"info_type_transformations": {"transformations": given}} if given else {}
    from google.protobuf.json_format import ParseError

    try:
        return parse(messages().deidentify, _with_references(config))
    except ParseError as error:
        raise ConfigError(f"--policy {name}: retired: {error}") from None


def _put_file(given: dict[str, Any], key: str, name: str) -> None:
    """Puts the config of a template in a file beneath what the policy says itself.

    A name such as `projects/P/inspectTemplates/ID` stays: it lies in Cloud DLP.
    """
    from transforms.files.filesystem import read_text

    uri = given.get(key)
    if not isinstance(uri, str) or not uri.endswith((".json", ".yaml", ".yml")):
        return
    config = key.replace("template", "config")
    content = content_of(read_text(uri, f"--policy {name}: {key}"), uri)
    found = {_snake(k): v for k, v in content.items()} if isinstance(content, Mapping) else {}
    if not isinstance(found.get(config), Mapping):
        raise ConfigError(f"--policy {name}: {key} {uri}: has no {config}")
    if given.get(config):
        raise ConfigError(f"--policy {name}: give either {key} or {config}")
    given[config] = found[config]
    del given[key]


def _detectors(given: Any, name: str) -> tuple[tuple[str, str, Code | None], ...]:
    """Returns the functions that a policy names; a file of Python is read, and travels with it."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"--policy {name}: detectors must be a mapping of infoTypes to functions")
    made = []
    for info_type, reference in given.items():
        place, _, function = str(reference).rpartition(":")
        if not place or not function:
            raise ConfigError(
                f"--policy {name}: detectors.{info_type} must be MODULE:FUNCTION or "
                f"FILE.py:FUNCTION, not {reference!r}"
            )
        option = f"--policy {name}: detectors"
        code = Code.read(place, option) if place.endswith(".py") else None
        made.append((str(info_type), function if code else str(reference), code))
    return tuple(made)


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


def _columns(content: Any, name: str, engine: str) -> Columns:
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
    if columns.json and engine != "local":
        raise ConfigError(
            f"--policy {name}: columns.json: only engine: local looks into JSON texts"
        )
    twice = {each for each in columns.named if columns.named.count(each) > 1}
    if twice:
        raise ConfigError(f"--policy {name}: columns names {min(twice)!r} twice")
    return columns
