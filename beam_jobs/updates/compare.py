"""Compares the graphs of two versions of a job, before a running job is updated.

Dataflow hands the state of a step to the step of the same name, or to the one that a
`transform_name_mapping` names. A step without such a heir loses its state, and one whose coder,
window or state has changed can't read it.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_ALIKE = 0.75
"""How alike a step must be to a renamed one; 2 is the best."""


@dataclass(frozen=True)
class Step:
    """A step of a graph, as far as an update depends on it.

    Attributes:
      name: Its unique name.
      kind: Its URN.
      inputs: The steps that its input comes from.
      coders: The coders of its outputs, in words.
      window: How its outputs are windowed, in words.
      state: Its states and timers, in words, by name.
      keeps: Whether it keeps something while the job runs: state, groups, places of reading.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    coders: tuple[str, ...] = ()
    window: str = ""
    state: tuple[tuple[str, str], ...] = ()
    keeps: bool = False


@dataclass(frozen=True)
class Comparison:
    """What an update would mean.

    Attributes:
      mapping: Renamed steps: old name to new name, for `--transform_name_mapping`.
      added: Steps that are new.
      removed: Steps that are gone, and that nothing replaces.
      faults: Why Dataflow would refuse the update, or what would be lost, in words.
    """

    mapping: Mapping[str, str]
    added: Sequence[str]
    removed: Sequence[str]
    faults: Sequence[str]

    def lines(self) -> list[str]:
        """Returns it in words."""
        told = [f"renamed: {old} -> {new}" for old, new in self.mapping.items()]
        told += [f"new: {name}" for name in self.added]
        told += [f"gone: {name}" for name in self.removed]
        if self.mapping:
            told.append(f"--transform_name_mapping='{json.dumps(dict(self.mapping))}'")
        return [*told, *(f"not compatible: {fault}" for fault in self.faults)]


def compare(
    old: Mapping[str, Step], new: Mapping[str, Step], given: Mapping[str, str] | None = None
) -> Comparison:
    """Compares the steps of two graphs.

    Args:
      old: Those of the running job, by name.
      new: Those of the new version.
      given: A mapping of old names to new ones that the user gave; the rest is proposed.

    Returns: The mapping, and what does not fit.
    """
    chosen = dict(given or {})
    unknown = [f"the mapping names {o} -> {n}, but there is no such step"
               for o, n in chosen.items() if o not in old or n not in new]  # fmt: skip
    gone = [name for name in old if name not in new and name not in chosen]
    fresh = [name for name in new if name not in old and name not in chosen.values()]
    mapping = {**chosen, **_renamed(gone, fresh, old, new)}
    removed = [name for name in gone if name not in mapping]
    heirs = {name: mapping.get(name, name) for name in old if name not in removed}
    changed = [
        fault
        for name, heir in heirs.items()
        if heir in new
        for fault in _changes(old[name], new[heir], heirs)
    ]
    lost = [f"{name} is gone, and what it keeps with it" for name in removed if old[name].keeps]
    added = [name for name in fresh if name not in mapping.values()]
    return Comparison(mapping, added, removed, [*unknown, *lost, *changed])


def _renamed(
    gone: Sequence[str], fresh: Sequence[str], old: Mapping[str, Step], new: Mapping[str, Step]
) -> dict[str, str]:
    """Returns which of the new steps are old ones with other names; the most alike first."""
    pairs = [
        (_likeness(old[name], new[other]), name, other)
        for name in gone
        for other in fresh
        if old[name].kind == new[other].kind
    ]
    found: dict[str, str] = {}
    for score, name, other in sorted(pairs, key=lambda pair: -pair[0]):
        if score >= _ALIKE and name not in found and other not in found.values():
            found[name] = other
    # In the order of the graph, which is easier to read.
    return {name: found[name] for name in gone if name in found}


def _likeness(old: Step, new: Step) -> float:
    """Returns how alike two steps are: their names as a whole, and whether one label differs."""
    first, second = old.name.split("/"), new.name.split("/")
    same = sum(a == b for a, b in zip(reversed(first), reversed(second), strict=False))
    labels = same / max(len(first), len(second))
    names = difflib.SequenceMatcher(None, old.name, new.name, autojunk=False).ratio()
    body = (old.coders, old.window, old.state) == (new.coders, new.window, new.state)
    return (labels + names) / 2 + 0.5 * body + 0.5 * (old.inputs == new.inputs)


def _changes(old: Step, new: Step, heirs: Mapping[str, str]) -> Iterator[str]:
    """Yields what of a step that keeps something can't be read by its heir."""
    if not (old.keeps or new.keeps):
        return
    if old.kind != new.kind:
        yield f"{new.name} is another kind of step: {new.kind}, not {old.kind}"
        return
    if old.coders != new.coders:
        yield f"{new.name} has other coders: {_words(new.coders)}, not {_words(old.coders)}"
    if old.window != new.window:
        yield f"{new.name} has other windows: {new.window}, not {old.window}"
    before, after = dict(old.state), dict(new.state)
    for name, words in before.items():
        if name not in after:
            yield f"{new.name} no longer has the state {name}"
        elif after[name] != words:
            yield f"{new.name} has another state {name}: {after[name]}, not {words}"
    sources = tuple(heirs.get(name, name) for name in old.inputs)
    if old.kind.endswith("group_by_key:v1") and set(sources) != set(new.inputs):
        yield f"{new.name} groups the output of {_words(new.inputs)}, not of {_words(sources)}"


def _words(texts: Sequence[str]) -> str:
    return ", ".join(texts) or "none"
