"""Beam's own options: which there are, and whether what was given is among them.

Beam drops what it does not know with no more than a warning; a mistyped option must be an error.
"""

import argparse
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from apache_beam.options import pipeline_options as beam_options

from transforms.errors import ConfigError
from transforms.nearest import nearest


class _Parser(beam_options._BeamArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument "))


@functools.cache
def _parser() -> argparse.ArgumentParser:
    """Returns a parser of every option of Beam's runners and connectors, without abbreviations."""
    parser = _Parser(allow_abbrev=False, add_help=False, conflict_handler="resolve")
    for kind in beam_options.PipelineOptions.__subclasses__():
        kind._add_argparse_args(parser)
    return parser


def _actions() -> dict[str, argparse.Action]:
    return {flag: action for action in _parser()._actions for flag in action.option_strings}


def names() -> set[str]:
    """Beam's options, with their dashes."""
    return set(_actions())


def flags(values: Mapping[str, Any]) -> list[str]:
    """Options in an options file, as arguments."""
    found = []
    for name, value in values.items():
        for part in value if isinstance(value, list) else [value]:
            text = str(part).lower() if isinstance(part, bool) else str(part)
            found.append(f"--{name}={text}")
    return found


def check(given: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Checks the arguments that are not options of the job.

    Args:
      given: The arguments.
      ours: The job's options, to find what was meant.

    Returns: The same; switches given as `--switch=true`, as templates do, are plain switches.

    Raises:
      ConfigError: One that Beam does not know, or a value it won't take.
    """
    spelt = _plain_switches(given)
    _, unknown = _parser().parse_known_args(spelt)
    for argument in unknown:
        flag = argument.partition("=")[0]
        if flag.startswith("-") and flag != "--":
            near = nearest(flag, [*ours, *names()])
            raise ConfigError(f"{flag} is no option of this job or of Beam{near}")
    if unknown:
        raise ConfigError(f"unexpected {unknown[0]!r}: every argument is an --option=value")
    return spelt


def _plain_switches(given: Sequence[str]) -> list[str]:
    """Beam's switches take no value: `--x=true` becomes `--x`, and `--x=false` is left out."""
    actions = _actions()
    kept = []
    for argument in given:
        flag, equals, value = argument.partition("=")
        action = actions.get(flag)
        switch = equals and isinstance(
            action, argparse._StoreTrueAction | argparse._StoreFalseAction
        )
        if not switch:
            kept.append(argument)
        elif value.lower() == "true":
            kept.append(flag)
        elif value.lower() != "false":
            raise ConfigError(f"{flag} is true or false, not {value!r}")
    return kept
