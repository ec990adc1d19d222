"""Detectors of others: functions from texts to spans, such as models of names and addresses."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from privacy.detectors.detector import Detector
from privacy.likelihood import Likelihood
from transforms.errors import ConfigError
from transforms.user_code import Code

Find: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, ...]]]]
"""Is given n texts, and returns for each its findings: where one begins and ends, in characters,
and if it likes a likelihood from 1 to 5."""

BATCH = 1_024
"""Most texts of a call."""


@dataclass(frozen=True)
class PlugIn(Detector):
    """A detector that is a function.

    Attributes:
      find: The function.
    """

    find: Find | None = None

    def places(self, texts: pa.Array) -> np.ndarray:
        """Returns what the function finds in n texts without nulls.

        Returns: m rows of four: the text's number, first and last character, and likelihood.

        Raises:
          ConfigError: The function failed, or what it returned are not spans of these texts. The
            text holds no value.
        """
        found: list[tuple[int, ...]] = []
        for start in range(0, len(texts), BATCH):
            given = texts.slice(start, BATCH).to_pylist()
            spans = self._called(given)
            if len(spans) != len(given):
                raise self._wrong(f"returned {len(spans)} lists for {len(given)} texts")
            for row, (text, each) in enumerate(zip(given, spans, strict=True), start):
                found += [(row, *self._checked(span, len(text))) for span in each]
        return np.array(found, np.int64).reshape(-1, 4)

    def _called(self, given: list[str]) -> Sequence[Sequence[tuple[int, ...]]]:
        assert self.find is not None
        try:
            return self.find(given)
        except Exception as error:
            # The text of the error may hold a value of a row.
            raise self._wrong(f"failed: {type(error).__name__}") from None

    def _checked(self, span: tuple[int, ...], size: int) -> tuple[int, int, int]:
        try:
            begin, end, *more = (int(each) for each in span)
        except (TypeError, ValueError):
            raise self._wrong("returned a span that is not (start, end)") from None
        level = more[0] if more else int(self.likelihood)
        if not 0 <= begin < end <= size or not 1 <= level <= Likelihood.VERY_LIKELY:
            raise self._wrong("returned a span that does not lie in its text")
        return begin, end, level

    def _wrong(self, what: str) -> ConfigError:
        return ConfigError(f"detector of {self.name} {what}")


_REGISTERED: dict[str, PlugIn] = {}


def register_detector(
    info_type: str, find: Find, likelihood: Likelihood = Likelihood.LIKELY
) -> None:
    """Registers a function as the detector of an infoType in this process.

    A policy that is carried out by other processes names it instead: `detectors:` in its file.

    Args:
      info_type: What it finds, as policies name it; it comes before a detector of the engine.
      find: Is given at most 1,024 texts, and returns for each a list of `(start, end)` in
        characters, or `(start, end, likelihood)`.
      likelihood: Of what it finds, where it doesn't say.
    """
    _REGISTERED[info_type] = PlugIn(info_type, "", "", find=find, likelihood=likelihood)


def registered(info_type: str) -> PlugIn | None:
    """Returns what was registered for an infoType."""
    return _REGISTERED.get(info_type)


def imported(info_type: str, reference: str) -> PlugIn:
    """Returns the detector that a reference `MODULE:name` leads to.

    Raises:
      ConfigError: The module can't be imported, or has no function of this name.
    """
    module, _, name = reference.partition(":")
    try:
        find: Any = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ConfigError(
            f"detectors: {info_type}: {reference!r} can't be imported ({type(error).__name__}): "
            "write MODULE:FUNCTION, of a module that all workers have, or FILE.py:FUNCTION"
        ) from None
    if not callable(find):
        raise ConfigError(f"detectors: {info_type}: {reference!r} is no function")
    return PlugIn(info_type, "", "", find=find, likelihood=Likelihood.LIKELY)


def from_code(info_type: str, name: str, code: Code) -> PlugIn:
    """Returns the detector that is a function of a file of Python, which travels with the policy.

    Raises:
      ConfigError: The file has no such function.
    """
    code.check(name)
    find: Any = code.functions()[name]
    return PlugIn(info_type, "", "", find=find, likelihood=Likelihood.LIKELY)
