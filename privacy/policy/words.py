"""Words in files, and stored infoTypes: written into the config, so that workers need no file."""

from collections.abc import Mapping
from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest

_CUSTOM = ("custom_info_types", "customInfoTypes")
_STORED = ("stored_type", "storedType")
_LARGE = ("large_custom_dictionary", "largeCustomDictionary")
_FILES = ("cloud_storage_path", "cloudStoragePath", "cloud_storage_file_set", "cloudStorageFileSet")


def with_words(config: Any, stored: Any, name: str) -> Any:
    """Returns an `InspectConfig` in its JSON form with the words of all files that it names.

    Args:
      config: As it stands in a policy.
      stored: Stored infoTypes: a config for each name.
      name: The policy's name.

    Raises:
      ConfigError: A file can't be read, or there is no stored infoType of a name.
    """
    if not isinstance(stored, Mapping):
        raise ConfigError(f"--policy {name}: stored_info_types must be a mapping of names")
    key = next((each for each in _CUSTOM if isinstance(config, Mapping) and each in config), None)
    if key is None or not isinstance(config[key], list):
        return config
    return {**config, key: [_resolved(each, stored, name) for each in config[key]]}


def _resolved(custom: Any, stored: Mapping[str, Any], name: str) -> Any:
    if not isinstance(custom, Mapping):
        return custom
    for key in _STORED:
        if key in custom:
            rest = {each: value for each, value in custom.items() if each != key}
            return _resolved({**rest, **_stored(custom[key], stored, name)}, stored, name)
    made = dict(custom)
    for key in _LARGE:
        if key in made:
            made["dictionary"] = made.pop(key)
    if isinstance(made.get("dictionary"), Mapping):
        made["dictionary"] = _dictionary(made["dictionary"], name)
    return made


def _stored(reference: Any, stored: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    wanted = reference.get("name", "") if isinstance(reference, Mapping) else ""
    found = stored.get(wanted, stored.get(str(wanted).rpartition("/")[2]))
    if not isinstance(found, Mapping):
        near = nearest(str(wanted), list(stored))
        raise ConfigError(
            f"--policy {name}: stored_info_types has no {wanted!r}{near}: engine local knows those "
            "only that stand in the policy"
        )
    return found


def _dictionary(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    for key in _FILES:
        if key in given:
            path = given[key].get("path") or given[key].get("url") or ""
            return {"word_list": {"words": _words(path, name)}}
    return given


def _words(path: str, name: str) -> list[str]:
    from transforms.files.filesystem import read_text

    text = read_text(path, f"--policy {name}: dictionary")
    words = [line.strip() for line in text.splitlines()]
    return [word for word in words if word]
