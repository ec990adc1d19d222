"""Options in a file: the job's and Beam's, under their names."""

import json
import tomllib
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from beam_jobs.options.declare import Declared
from transforms.errors import ConfigError
from transforms.nearest import nearest


def read_options(path: str, known: Sequence[Declared]) -> tuple[dict[str, Any], list[str]]:
    """Reads a .json, .toml or .yaml file of options.

    Args:
      path: Where it is.
      known: The options of the job.

    Returns: The job's options as they stand there, and Beam's as arguments.

    Raises:
      ConfigError: It can't be read, or names an option that neither has.
    """
    content = _load(path)
    ours = {option.name for option in known} - {"options_file"}
    stored = {name: value for name, value in content.items() if name in ours}
    others = {name: value for name, value in content.items() if name not in ours}
    if others:
        from beam_jobs.options.beam import flags, names

        for name in others:
            if f"--{name}" not in names():
                near = nearest(name, [*ours, *(flag[2:] for flag in names())])
                raise ConfigError(f"{path}: {name!r} is no option of this job or of Beam{near}")
        return stored, flags(others)
    return stored, []


def _load(path: str) -> dict[str, Any]:
    readers: dict[str, Callable[[str], Any]] = {
        ".json": json.loads,
        ".toml": tomllib.loads,
        ".yaml": _yaml,
        ".yml": _yaml,
    }
    reader = readers.get(Path(path).suffix.lower())
    if reader is None:
        raise ConfigError(f"--options_file: {path} ends in none of {', '.join(readers)}")
    try:
        content = reader(_read(path).decode())
    except OSError as error:
        raise ConfigError(f"--options_file: {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"--options_file: {path} can't be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"--options_file: {path} is nested too deep for options") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--options_file: {path} holds no table of option names and values")
    return content


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _read(path: str) -> bytes:
    if "://" not in path:
        return Path(path).read_bytes()
    from apache_beam.io.filesystems import FileSystems

    with FileSystems.open(path) as stream:
        return typing.cast(bytes, stream.read())
