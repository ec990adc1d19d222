"""The values of options: from texts and files to what the options declare."""

import re
import sys
import typing
from collections.abc import Mapping
from typing import Any

from beam_jobs.options.declare import ColumnMap, Declared
from transforms.errors import ConfigError


def convert(option: Declared, value: Any) -> Any:
    """Converts a value of a command line (texts) or an options file to the option's type.

    Raises:
      ConfigError: It won't do; the text says what would.
    """
    if option.repeated:
        return _columns(option, value) if option.type == ColumnMap else _texts(value)
    if isinstance(value, list | dict):
        raise ConfigError(f"{option.flag} takes one value")
    text = str(value).strip()
    if not text:
        # Templates and Terraform pass an empty text for what was left out.
        if option.required:
            raise ConfigError(f"{option.flag} is empty")
        return option.default
    if option.type is bool:
        return _boolean(option, text)
    if option.type in (int, float):
        return _number(option, text)
    if option.choices and text not in option.choices:
        raise ConfigError(f"{option.flag} is one of {', '.join(option.choices)}, not {text!r}")
    if option.regex and not re.fullmatch(option.regex, text):
        raise ConfigError(f"{option.flag}: {text!r} does not match {option.regex}")
    return text


def _boolean(option: Declared, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ConfigError(f"{option.flag} is true or false, not {text!r}")
    return text.lower() == "true"


def _number(option: Declared, text: str) -> int | float:
    try:
        number = option.type(text)
    except ValueError:
        what = "a whole number" if option.type is int else "a number"
        raise ConfigError(f"{option.flag} is {what}, not {text!r}") from None
    low = -sys.float_info.max if option.minimum is None else option.minimum
    high = sys.float_info.max if option.maximum is None else option.maximum
    if not low <= number <= high:
        bounds = [f"at least {low:g}"] if option.minimum is not None else []
        bounds += [f"at most {high:g}"] if option.maximum is not None else []
        raise ConfigError(f"{option.flag} is {' and '.join(bounds) or 'finite'}, not {text}")
    return typing.cast(int | float, number)


def _texts(value: Any) -> tuple[str, ...]:
    """Returns texts from `a,b`, given once or repeated, or from a list of texts with commas."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return tuple(text for part in parts if (text := str(part).strip()))


def _columns(option: Declared, value: Any) -> ColumnMap:
    """Pairs from `feature=column;other=c0,c1`, or from a mapping."""
    if isinstance(value, Mapping):
        pairs = [(str(feature), _texts(columns)) for feature, columns in value.items()]
    else:
        parts = value if isinstance(value, list) else [value]
        texts = [text for part in parts for text in str(part).split(";") if text.strip()]
        pairs = [(f.strip(), _texts(c)) for f, _, c in (text.partition("=") for text in texts)]
    for feature, columns in pairs:
        if not feature or not columns:
            raise ConfigError(f"{option.flag} is feature=column or feature=column0,column1,...")
    names = [feature for feature, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{option.flag} names {', '.join(twice)} twice")
    return tuple(pairs)
