"""Rules of DLP's `rule_set`: what changes likelihoods, words or other findings; exclusions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.own.words import normal_form, words_pattern
from privacy.local.texts import Texts
from privacy.spans import Spans

FULL, PARTIAL, INVERSE = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule, about some kinds.

    Attributes:
      kinds: The numbers of the kinds that it changes.
      apply: A function of texts, the spans that it is about, and all spans: the new likelihoods.
    """

    kinds: np.ndarray
    apply: Any

    def likelihoods(self, texts: Texts, spans: Spans) -> np.ndarray:
        """Returns the likelihoods of n spans as the rule leaves them; 0 where it excludes one."""
        which = np.flatnonzero(np.isin(spans.kinds, self.kinds) & (spans.likelihoods > 0))
        made = spans.likelihoods.copy()
        if len(which):
            made[which] = self.apply(texts, spans.take(which), spans)
        return made


@dataclass(frozen=True)
class Hotword:
    """Raises or lowers what stands near a word.

    Attributes:
      pattern: An RE2 pattern; the whole word must lie in the window.
      before: How many characters before a finding belong to the window.
      behind: How many characters behind it.
      fixed: The likelihood that is set; 0 for a relative change.
      relative: What is added.
    """

    pattern: str
    before: int
    behind: int
    fixed: int
    relative: int

    def __call__(self, texts: Texts, spans: Spans, every: Spans) -> np.ndarray:
        """Returns the new likelihoods."""
        near = _near(texts, spans, self.pattern, self.before, self.behind)
        return _adjusted(spans, near, self.fixed, self.relative)


@dataclass(frozen=True)
class ExcludedNear:
    """Leaves out findings near a word.

    Attributes:
      pattern: An RE2 pattern; the whole word must lie in the window.
      before: How many characters before a finding belong to the window.
      behind: How many characters behind it.
    """

    pattern: str
    before: int
    behind: int

    def __call__(self, texts: Texts, spans: Spans, every: Spans) -> np.ndarray:
        """Returns 0 for what is left out."""
        near = _near(texts, spans, self.pattern, self.before, self.behind)
        return np.where(near, 0, spans.likelihoods)


def _near(texts: Texts, spans: Spans, pattern: str, before: int, behind: int) -> np.ndarray:
    """Tells near which findings a word is; a column's name is before all of its values."""
    if before and texts.name_matches(pattern):
        return np.ones(len(spans), bool)
    return texts.near(spans, pattern, before, behind)


def _adjusted(spans: Spans, which: np.ndarray, fixed: int, relative: int) -> np.ndarray:
    changed = fixed or spans.likelihoods + relative
    return np.where(which, np.clip(changed, 1, 5), spans.likelihoods)


@dataclass(frozen=True)
class Excluded:
    """Leaves out findings whose own text matches.

    Attributes:
      pattern: An RE2 pattern.
      how: `FULL`, `PARTIAL` or `INVERSE`.
      words: Whether the pattern is of normal forms; see `normal_form`.
    """

    pattern: str
    how: int
    words: bool = False

    def __call__(self, texts: Texts, spans: Spans, every: Spans) -> np.ndarray:
        """Returns 0 for what is left out."""
        quotes = texts.quotes(spans)
        if self.words:
            quotes = pa.array([normal_form(each) for each in quotes.to_pylist()], pa.string())
        pattern = rf"^(?:{self.pattern})$" if self.how == FULL else self.pattern
        out = np.asarray(pc.match_substring_regex(quotes, pattern))
        return np.where(out != (self.how == INVERSE), 0, spans.likelihoods)


@dataclass(frozen=True)
class Beside:
    """Leaves out findings that lie on others.

    Attributes:
      kinds: The numbers of the others' kinds.
      how: `FULL` for what lies within another, `PARTIAL` for what overlaps one, or `INVERSE`.
    """

    kinds: tuple[int, ...]
    how: int

    def __call__(self, texts: Texts, spans: Spans, every: Spans) -> np.ndarray:
        """Returns 0 for what is left out."""
        out = lying_on(spans, every, self.kinds, self.how)
        return np.where(out, 0, spans.likelihoods)


@dataclass(frozen=True)
class Adjusted:
    """Raises or lowers findings that lie on others.

    Attributes:
      kinds: The numbers of the others' kinds.
      how: `FULL` for what lies within another, `PARTIAL` for what overlaps one, or `INVERSE`.
      least: How likely the others must be.
      fixed: The likelihood that is set; 0 for a relative change.
      relative: What is added.
    """

    kinds: tuple[int, ...]
    how: int
    least: int
    fixed: int
    relative: int

    def __call__(self, texts: Texts, spans: Spans, every: Spans) -> np.ndarray:
        """Returns the new likelihoods."""
        which = lying_on(spans, every, self.kinds, self.how, self.least)
        return _adjusted(spans, which, self.fixed, self.relative)


def lying_on(
    spans: Spans, every: Spans, kinds: tuple[int, ...], how: int, least: int = 1
) -> np.ndarray:
    """Tells which of n findings lie on findings of other kinds: n booleans.

    Args:
      spans: The n findings.
      every: All findings, ordered by where they begin.
      kinds: The numbers of the others' kinds.
      how: `FULL` for what lies within another, `PARTIAL` for what overlaps one, or `INVERSE` for
        what overlaps none.
      least: How likely the others must be.
    """
    others = every.take(np.isin(every.kinds, kinds) & (every.likelihoods >= max(1, least)))
    order = np.argsort(others.starts, kind="stable")
    starts, ends = others.starts[order], others.ends[order]
    if not len(others):
        return np.full(len(spans), how == INVERSE)
    furthest = np.maximum.accumulate(ends)
    if how == FULL:
        place = np.searchsorted(starts, spans.starts, side="right") - 1
        found = (place >= 0) & (furthest[np.maximum(place, 0)] >= spans.ends)
    else:
        place = np.searchsorted(starts, spans.ends, side="left") - 1
        found = (place >= 0) & (furthest[np.maximum(place, 0)] > spans.starts)
    return np.asarray(found != (how == INVERSE))


def compile_rules(sets: Any, names: list[str], problems: list[str]) -> tuple[Rule, ...]:
    """Returns the rules of a `rule_set`, and adds what can't be done to the problems."""
    made = []
    for each in sets:
        kinds = [place for place, name in enumerate(names) if _about(each.info_types, name)]
        for rule in each.rules:
            function = _compile(rule, names, problems)
            if function is not None:
                made.append(Rule(np.array(kinds, int), function))
    return tuple(made)


def _about(info_types: Sequence[Any], name: str) -> bool:
    return not info_types or any(each.name == name for each in info_types)


def _compile(rule: Any, names: list[str], problems: list[str]) -> Any:
    kind = rule.WhichOneof("type")
    if kind == "hotword_rule":
        return _hotword(rule.hotword_rule, problems)
    if kind == "exclusion_rule":
        return _exclusion(rule.exclusion_rule, names, problems)
    if kind == "adjustment_rule":
        return _adjustment(rule.adjustment_rule, names, problems)
    problems.append(f"rule_set: {kind or 'an empty rule'} is not in the local engine")
    return None


def _adjustment(rule: Any, names: list[str], problems: list[str]) -> Any:
    kind = next((name.name for name, _ in rule.ListFields() if name.name.startswith("adjust")), "")
    if kind != "adjust_by_matching_info_types":
        problems.append(f"adjustment_rule by {kind or 'nothing'}: not in the local engine")
        return None
    by, change = rule.adjust_by_matching_info_types, rule.likelihood_adjustment
    how = int(by.matching_type)
    if how not in (FULL, PARTIAL, INVERSE):
        problems.append("adjustment_rule: matching_type is missing")
    kinds = _numbers(by.info_types, names, "adjustment_rule", problems)
    fixed = int(change.fixed_likelihood)
    return Adjusted(kinds, how, int(by.min_likelihood), fixed, change.relative_likelihood)


def _numbers(info_types: Any, names: list[str], where: str, problems: list[str]) -> tuple[int, ...]:
    """Returns the numbers of infoTypes."""
    wanted = {each.name for each in info_types}
    problems += [f"{where}: {name} is not inspected" for name in sorted(wanted - set(names))]
    return tuple(place for place, name in enumerate(names) if name in wanted)


def _hotword(rule: Any, problems: list[str]) -> Any:
    pattern = checked_pattern(rule.hotword_regex.pattern, "hotword_regex", problems)
    change = rule.likelihood_adjustment
    fixed = int(change.fixed_likelihood)
    near = rule.proximity
    return Hotword(
        pattern, near.window_before, near.window_after, fixed, change.relative_likelihood
    )


def _exclusion(rule: Any, names: list[str], problems: list[str]) -> Any:
    kind, how = rule.WhichOneof("type"), int(rule.matching_type)
    if kind == "exclude_by_hotword":
        word = rule.exclude_by_hotword
        pattern = checked_pattern(word.hotword_regex.pattern, "exclude_by_hotword", problems)
        return ExcludedNear(pattern, word.proximity.window_before, word.proximity.window_after)
    if how not in (FULL, PARTIAL, INVERSE):
        problems.append("exclusion_rule: matching_type is missing")
    if kind == "regex":
        return Excluded(checked_pattern(rule.regex.pattern, "exclusion_rule", problems), how)
    if kind == "dictionary" and rule.dictionary.word_list.words:
        words = [normal_form(word) for word in rule.dictionary.word_list.words]
        return Excluded(words_pattern(words), how, words=True)
    if kind == "exclude_info_types":
        given = rule.exclude_info_types.info_types
        return Beside(_numbers(given, names, "exclude_info_types", problems), how)
    problems.append(f"exclusion_rule by {kind}: not in the local engine")
    return None


def checked_pattern(pattern: str, where: str, problems: list[str]) -> str:
    """Returns an RE2 pattern, or one that matches nothing where RE2 does not take it."""
    import re2  # type: ignore[import-untyped]

    try:
        re2.compile(pattern)
    except re2.error as error:
        problems.append(f"{where}: RE2 does not take the pattern: {error}")
        return r"[^\s\S]"
    return pattern
