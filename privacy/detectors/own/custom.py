"""Detectors of the user's own: a pattern, a list of words, or the surrogates of tokens."""

import re
from typing import Any

import numpy as np

from privacy.detectors.detector import Candidates, Detector, Verdict
from privacy.detectors.own.cost import is_cheap, without_captures
from privacy.detectors.own.word_list import word_list
from privacy.detectors.own.words import normal_form
from privacy.likelihood import Likelihood

_MISSING = {
    "dictionary": "a dictionary needs words, or the path of a file of words",
    "stored_type": "write it into the policy, as stored_info_types",
}
_BETWEEN = r"[^\pL\pN]+"


def custom_detector(custom: Any, problems: list[str]) -> Detector | None:
    """Returns the detector of a `CustomInfoType`, or None with a line for the problems.

    Args:
      custom: The proto.
      problems: Takes what the local engine can't do.
    """
    name, kind = custom.info_type.name, custom.WhichOneof("type")
    likelihood = Likelihood(int(custom.likelihood) or Likelihood.VERY_LIKELY)
    if custom.detection_rules:
        problems.append(f"infoType {name}: detection_rules; write them as a rule_set")
    if kind == "regex":
        return _regex(name, custom.regex, likelihood, problems)
    if kind == "dictionary" and custom.dictionary.word_list.words:
        return _dictionary(name, custom.dictionary.word_list.words, likelihood)
    if kind == "surrogate_type":
        return surrogate(name)
    if not (kind is None and custom.exclusion_type):
        problems.append(f"infoType {name}: {_MISSING.get(str(kind), f'{kind} is not local')}")
    return None


def _regex(name: str, regex: Any, likelihood: Likelihood, problems: list[str]) -> Detector | None:
    import re2  # type: ignore[import-untyped]

    try:
        made = re2.compile(regex.pattern)
    except re2.error as error:
        problems.append(f"infoType {name}: RE2 does not take the pattern: {error}")
        return None
    groups = tuple(regex.group_indexes)
    if any(not 0 < group <= made.groups for group in groups):
        problems.append(f"infoType {name}: the pattern has no group of each of group_indexes")
        return None
    if made.search(""):
        problems.append(f"infoType {name}: the pattern matches an empty text")
    pattern = without_captures(regex.pattern)
    return Detector(
        name,
        pattern,
        regex.pattern if groups else pattern,
        likelihood=likelihood,
        looks_back=True,
        apart=not is_cheap(pattern),
        groups=groups,
    )


_FEW = 100


def _dictionary(name: str, words: Any, likelihood: Likelihood) -> Detector:
    forms = sorted(
        {normal_form(word) for word in words} - {""}, key=lambda form: (-len(form), form)
    )
    if len(forms) > _FEW:
        return word_list(name, forms, check=_not_glued, likelihood=likelihood)
    phrases = [_BETWEEN.join(re.escape(part) for part in form.split()) for form in forms]
    pattern = f"(?i)(?:{'|'.join(phrases)})"
    return Detector(
        name, pattern, pattern, _not_glued, likelihood=likelihood, looks_back=True, apart=True
    )


_LETTER = np.zeros(256, bool)
_LETTER[65:91] = _LETTER[97:123] = _LETTER[128:] = True
_DIGIT = np.zeros(256, bool)
_DIGIT[48:58] = True


def _not_glued(candidates: Candidates) -> Verdict:
    """Refuses what goes on in the same class of characters: `jen` in `jennifer`, not in `jen1`."""
    data = candidates.data
    first, last = data[candidates.starts], data[candidates.ends - 1]
    glued = np.zeros(len(candidates), bool)
    for kind in (_LETTER, _DIGIT):
        glued |= (kind[first] & kind[candidates.before]) | (kind[last] & kind[candidates.behind])
    level = np.where(glued, Likelihood.NO, Likelihood.VERY_LIKELY)
    return level, candidates.starts, candidates.ends


def surrogate(name: str) -> Detector:
    """Returns the detector of tokens `NAME(n):...`, where n is their length."""
    head = rf"{re.escape(name)}\(\d{{1,4}}\):"
    return Detector(name, head, head, _counted, checksum=True)


def _counted(candidates: Candidates) -> Verdict:
    """Takes in as many characters as the token says; those of tokens are ASCII."""
    ends, good = candidates.ends.copy(), np.zeros(len(candidates), bool)
    highs = candidates.highs
    for place, text in enumerate(candidates.texts.to_pylist()):
        end = int(ends[place]) + int(text[text.rindex("(") + 1 : -2])
        good[place] = end <= highs[place] and bytes(candidates.data[ends[place] : end]).isascii()
        ends[place] = end if good[place] else ends[place]
    return np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO), candidates.starts, ends
