"""The figures of declared steps, from rows to constants: states of batches that merge."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.preprocess.declared.arrays import Arrays
from transforms.preprocess.declared.columns import column_kind
from transforms.preprocess.declared.feed import values_of
from transforms.preprocess.declared.maker import Asked, key_of
from transforms.preprocess.declared.parse import Feature
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.values import One, Value
from transforms.preprocess.steps.fill import Fill
from transforms.statistics.state import value_bytes, value_of

Known = dict[str, Any]
"""The constants of steps, by `Asked.key`."""


@dataclass
class Figure:
    """The state of a figure.

    Attributes:
      state: Of the rows that have a value.
      missing: How many have none, where one is filled in before.
    """

    state: Any
    missing: int = 0


@dataclass
class States:
    """The states of figures of some rows.

    Attributes:
      figures: By the figure's name.
      rows: How many rows there were.
    """

    figures: dict[str, Figure] = field(default_factory=dict)
    rows: int = 0

    def merge(self, other: "States") -> "States":
        """Returns the states of the rows of both."""
        for name, figure in other.figures.items():
            own = self.figures.get(name)
            if own is None:
                self.figures[name] = copy.deepcopy(figure)
            else:
                own.state.merge(figure.state)
                own.missing += figure.missing
        self.rows += other.rows
        return self

    @property
    def nbytes(self) -> int:
        """Its size."""
        return 64 + sum(int(figure.state.nbytes) for figure in self.figures.values())


def entries_of(states: States) -> dict[str, list[bytes]]:
    """Returns states as a cache keeps them."""
    return {
        name: [value_bytes(figure.state), json.dumps(figure.missing).encode()]
        for name, figure in states.figures.items()
    }


def states_from(entries: Mapping[str, Sequence[bytes]], asked: Iterable[Asked]) -> States:
    """Returns the states that a cache keeps of the figures of a plan.

    Raises:
      ConfigError: One is broken.
    """
    states = States()
    for each in asked:
        if each.name in entries and each.name not in states.figures:
            content, missing = entries[each.name]
            figure = Figure(value_of(content, each.state), int(json.loads(missing)))
            states.figures[each.name] = figure
    return states


class Pass:
    """A pass over rows that learns the figures of one phase. It is shipped to workers.

    Args:
      plan: The steps.
      phase: Which pass it is, from 0.
      names: The figures that are wanted; all of the phase by default.
    """

    def __init__(self, plan: Plan, phase: int, names: frozenset[str] | None = None) -> None:
        self.plan, self.phase = plan, phase
        self.asked = {(each.feature, each.step): each for each in plan.asked}
        self.wanted = {
            each.name
            for each in plan.asked
            if each.phase == phase and (names is None or each.name in names)
        }
        self.ends = self._ends()
        self._checked: pa.Schema | None = None

    def _ends(self) -> dict[str, int]:
        """Returns how many steps of each feature are to be done."""
        ends: dict[str, int] = {}
        for each in self.plan.asked:
            if each.name in self.wanted:
                ends[each.feature] = max(ends.get(each.feature, 0), each.step + 1)
        features = self.plan.steps.by_name
        for feature in reversed(self.plan.steps.features):
            if feature.name in ends and feature.of_features:
                ends |= {name: len(features[name].steps) for name in feature.inputs}
        return ends

    def states_of(self, batch: pa.RecordBatch, known: Known) -> States:
        """Returns the states of the rows of a batch.

        Args:
          batch: n rows with at least the columns of the plan.
          known: The constants of earlier passes.

        Raises:
          ConfigError: A column is missing, or of a type that can't be cast.
        """
        if self._checked is None or not self._checked.equals(batch.schema):
            self.plan.columns.check(batch.schema)
            self._checked = batch.schema
        values: dict[str, Any] = {"": values_of(batch, self.plan)}
        states = States(rows=batch.num_rows)
        for feature in self.plan.steps.features:
            if feature.name in self.ends:
                source = values if feature.of_features else values[""]
                given = [source[name] for name in feature.inputs]
                value = given[0] if len(given) == 1 else tuple(given)
                values[feature.name] = self._made(feature, value, known, states)
        return states

    def _made(self, feature: Feature, value: Any, known: Known, states: States) -> Any:
        missing = 0
        for place, step in enumerate(feature.steps[: self.ends[feature.name]]):
            asked = self.asked.get((feature.name, place))
            if asked is not None and self._is_new(asked, states):
                figure = Figure(asked.state(), 0 if asked.fill is None else missing)
                figure.state.add(step.analyzed(value))
                states.figures[asked.name] = figure
            if asked is None or asked.key in known:
                value = step.apply(value, known.get(asked.key) if asked else None, ARRAYS)
            elif isinstance(step, Fill):
                empty = ARRAYS.missing(value.values, value.present)
                missing = 0 if empty is None else int(empty.sum())
                value = _converted(step, value)
            else:
                return None
        return value

    def _is_new(self, asked: Asked, states: States) -> bool:
        """Returns whether a figure is wanted, and no other step had its state made."""
        return asked.name in self.wanted and asked.name not in states.figures


def _converted(step: Fill, value: One) -> One:
    """Returns values as a fill makes them, but with those missing that it is to fill in."""
    values = value.values if step._keeps else ARRAYS.floats(value.values)
    return One(values, value.present)


ARRAYS = Arrays()


def settled(plan: Plan, phase: int, states: States, known: Known) -> Known:
    """Returns the constants of a pass, besides those of earlier ones.

    Args:
      plan: The steps.
      phase: Which pass it was.
      states: Those of all rows.
      known: The constants of earlier passes.
    """
    found = dict(known)
    features = plan.steps.by_name
    for asked in plan.asked:
        if asked.phase != phase or asked.key in found:
            continue
        figure = states.figures.get(asked.name) or Figure(asked.state())
        feature = features[asked.feature]
        if asked.fill is not None and figure.missing:
            figure = copy.deepcopy(figure)
            _fill_in(plan, feature, asked, figure, found)
        found[asked.key] = feature.steps[asked.step].settle(figure.state)
    return found


def _fill_in(plan: Plan, feature: Feature, asked: Asked, figure: Figure, known: Known) -> None:
    """Adds what is filled in to the state of a figure behind it."""
    assert asked.fill is not None
    fill = feature.steps[asked.fill]
    assert isinstance(fill, Fill)
    dtype = _dtype_at(plan, feature, asked.fill)
    value: Value = _one(fill.constant(known[key_of(feature.name, asked.fill)], dtype))
    for place in range(asked.fill + 1, asked.step):
        constants = known.get(key_of(feature.name, place))
        value = feature.steps[place].apply(value, constants, ARRAYS)
    (single,) = feature.steps[asked.step].analyzed(value)
    figure.state.repeat(single.as_py() if isinstance(single, pa.Scalar) else single, figure.missing)


def _one(constant: Any) -> One:
    if isinstance(constant, bytes):
        return One(pa.array([constant], pa.binary()))
    return One(np.array([constant]))


def _dtype_at(plan: Plan, feature: Feature, place: int) -> str:
    """Returns the type of values behind a step."""
    name = feature.inputs[0]
    if feature.of_features:
        kind = plan.kind_of[name]
    else:
        kind = column_kind(plan.columns.by_name[name], name in plan.single)
    for step in feature.steps[: place + 1]:
        kind = step.kind(kind)
    return kind.dtype
