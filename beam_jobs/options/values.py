"""The values of options: from texts and files to what the options declare."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from beam_jobs.options.declare import ColumnMap, Declared, Seconds
from beam_jobs.options.durations import duration_text, seconds_of
from transforms.errors import ConfigError
from transforms.words import repeated


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
    if option.type in (int, float, Seconds):
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


_NUMBERS: dict[Any, tuple[Callable[[str], int | float], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    Seconds: (seconds_of, "a duration, as in 30s, 10m, 1h, 7d or plain seconds"),
}


def _number(option: Declared, text: str) -> int | float:
    read, what = _NUMBERS[option.type]
    try:
        number = read(text)
    except ValueError:
        raise ConfigError(f"{option.flag} is {what}, not {text!r}") from None
    low = -sys.float_info.max if option.minimum is None else option.minimum
    high = sys.float_info.max if option.maximum is None else option.maximum
    if not low <= number <= high:
        shown = duration_text if option.type == Seconds else "{:g}".format
        bounds = [f"at least {shown(low)}"] if option.minimum is not None else []
        bounds += [f"at most {shown(high)}"] if option.maximum is not None else []
        raise ConfigError(f"{option.flag} is {' and '.join(bounds) or 'finite'}, not {text}")
    return number


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
    if twice := repeated(feature for feature, _ in pairs):
        raise ConfigError(f"{option.flag} names {', '.join(twice)} twice")
    return tuple(pairs)
