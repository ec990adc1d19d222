"""Features of a plan, each checked, and the figures that they need.

A figure that depends on another one needs rows that are transformed by that, and so another pass.
What is filled in is an exception: the rows without a value are counted, and when it is known, so
many of it are added to the figures that follow: `fill: mean, scale_to_z_score` takes one pass.
"""

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import Any

from transforms.nearest import nearest_column
from transforms.preprocess.columns import RawFeature
from transforms.preprocess.declared.columns import column_kind
from transforms.preprocess.declared.parse import Feature, Steps
from transforms.preprocess.declared.values import Kind
from transforms.preprocess.steps.fill import Fill
from transforms.preprocess.steps.step import WrongStep
from transforms.preprocess.steps.vocabulary import ComputeAndApplyVocabulary

VERSION = 1
"""That of states: it is part of a figure's name, so that another one is not taken for it."""


@dataclass(frozen=True)
class Asked:
    """A figure that a step needs.

    Attributes:
      name: A digest of how its state is made: the columns, the steps before, and its class. Steps
        may share it, and read different constants from it.
      feature: The feature.
      step: The place of the step in it.
      state: The class of its state.
      phase: The pass in which it is learned, from 0.
      fill: The place of the step before that fills in what is learned in the same pass.
    """

    name: str
    feature: str
    step: int
    state: type
    phase: int
    fill: int | None

    @property
    def key(self) -> str:
        """The name of the step's constants."""
        return key_of(self.feature, self.step)


def key_of(feature: str, step: int) -> str:
    """Returns the name of the constants of a step, by its place in a feature."""
    return f"{feature}:{step}"


class Maker:
    """Takes features into a plan, in order.

    Args:
      steps: All of them.
      columns: The columns that there are, by name.
      single: Those with at most one value a row.
    """

    def __init__(self, steps: Steps, columns: dict[str, RawFeature], single: set[str]) -> None:
        self.steps, self.columns, self.single = steps, columns, single
        self.kinds: dict[str, Kind] = {}
        self.phase: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        self.files: dict[str, list[Any]] = {}
        self.asked: list[Asked] = []

    def add(self, feature: Feature) -> None:
        """Takes a feature into the plan."""
        kind = self.given(feature)
        digest = _digest([self.told(feature, name) for name in feature.inputs])
        phase = max((self.phase[name] for name in feature.inputs if feature.of_features), default=0)
        fill: int | None = None
        for place, step in enumerate(feature.steps):
            if (state := self.state(feature, place, kind)) is not None:
                name = _digest([digest, state.__qualname__, VERSION])
                folded = fill if fill is not None and hasattr(state, "repeat") else None
                phase += fill is not None and folded is None
                self.asked.append(Asked(name, feature.name, place, state, phase, folded))
                # What a fill learns can be added later on; all else has to be known first.
                is_fill = isinstance(step, Fill) and folded is None
                phase, fill = (phase, place) if is_fill else (phase + 1, None)
            if isinstance(step, ComputeAndApplyVocabulary):
                self.check_file(feature, place, [digest, *astuple(step)])
            kind = self.made(feature, place, kind)
            digest = _digest([digest, step.name, list(astuple(step))])
        if kind.shape == "several":
            told = "several columns become one feature by a step such as cross"
            raise self.steps.error(feature.place, told)
        self.kinds[feature.name], self.digests[feature.name] = kind, digest
        self.phase[feature.name] = phase + (fill is not None)

    def check_file(self, feature: Feature, place: int, content: list[Any]) -> None:
        """Checks that a vocabulary can have a file, and that no other one has it."""
        step = feature.steps[place]
        assert isinstance(step, ComputeAndApplyVocabulary)
        name = step.vocab_filename or feature.name
        if not _is_file(name):
            told = f"{name!r} can't be the name of a vocabulary's file: give vocab_filename one"
            raise self.steps.error(feature.places[place], f"{told}, without slashes")
        if self.files.setdefault(name, content) != content:
            told = f"another vocabulary has the file {name!r}: give each a vocab_filename"
            raise self.steps.error(feature.places[place], told)

    def told(self, feature: Feature, name: str) -> Any:
        """Returns what an input is, for a digest."""
        if feature.of_features:
            return self.digests[name]
        column = self.columns[name]
        return [name, column.dtype, column.kind, list(column.shape), name in self.single]

    def given(self, feature: Feature) -> Kind:
        """Returns the kind of a feature's inputs."""
        if feature.of_features:
            kinds = [self.kinds[name] for name in feature.inputs]
        else:
            kinds = [self.column(feature, name) for name in feature.inputs]
        if len(kinds) == 1:
            return kinds[0]
        whole, traced = all(each.whole for each in kinds), all(each.traced for each in kinds)
        return Kind("several", kinds[0].dtype, whole, None, tuple(kinds), traced)

    def column(self, feature: Feature, name: str) -> Kind:
        """Returns the kind of a column."""
        if name not in self.columns:
            near = nearest_column(name, self.columns) or f"; there are {', '.join(self.columns)}"
            raise self.steps.error(feature.place, f"there is no column {name!r}{near}")
        column = self.columns[name]
        if column.has_default:
            told = f"column {name!r} has a default value in the schema: use the step fill instead"
            raise self.steps.error(feature.place, told)
        return column_kind(column, name in self.single)

    def state(self, feature: Feature, place: int, kind: Kind) -> type | None:
        """Returns the class of the state that a step needs, if numpy can make what it is of."""
        step = feature.steps[place]
        self.made(feature, place, kind)
        state = step.figure(kind)
        if state is not None and not kind.traced:
            before = next(each.name for each in feature.steps[:place][::-1] or feature.steps)
            raise self.steps.error(
                feature.places[place],
                f"{step.name} needs figures of all rows, which can't be had behind {before}: only "
                "TensorFlow computes that",
            )
        return state

    def made(self, feature: Feature, place: int, kind: Kind) -> Kind:
        """Returns what a step makes of a kind."""
        try:
            return feature.steps[place].kind(kind)
        except WrongStep as error:
            raise self.steps.error(feature.places[place], str(error)) from None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:24]


def _is_file(name: str) -> bool:
    """Returns whether a file can have this name in any file system."""
    return (
        not {"/", "\\", "\0"} & set(name) and name not in (".", "..") and len(name.encode()) < 200
    )
