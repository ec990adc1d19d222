"""A plan of declared steps: they fit the columns, and it is known which figures they need when."""

import functools
from dataclasses import dataclass
from typing import Any

from transforms.errors import ConfigError
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.declared.columns import with_units
from transforms.preprocess.declared.maker import Asked, Maker
from transforms.preprocess.declared.parse import Steps
from transforms.preprocess.declared.values import Kind


@dataclass(frozen=True)
class Plan:
    """Declared steps that fit the columns.

    Attributes:
      steps: They.
      columns: The columns that they take.
      single: Those with at most one value a row.
      asked: The figures that are needed, in the order of the file.
      kinds: What each feature is.
    """

    steps: Steps
    columns: RawColumns
    single: frozenset[str]
    asked: tuple[Asked, ...]
    kinds: tuple[tuple[str, Kind], ...]

    @classmethod
    def of(cls, steps: Steps, schema: Any) -> "Plan":
        """Checks steps against a schema.

        Args:
          steps: Any.
          schema: The tensorflow-metadata `Schema` of the raw columns.

        Raises:
          ConfigError: A column is not there, or a step doesn't take what it is given; the text
            names line and column of the file.
        """
        every = {each.name: each for each in RawColumns.of_schema(schema).features}
        steps = with_units(steps, {each.name: each.unit for each in every.values()})
        single = {each.name for each in schema.feature if each.value_count.max == 1}
        maker = Maker(steps, every, single)
        for feature in steps.features:
            maker.add(feature)
        used = [every[name] for name in steps.columns]
        columns = RawColumns(tuple(used), frozenset(steps.columns))
        kinds = tuple((name, maker.kinds[name]) for name in maker.kinds)
        made = cls(steps, columns, frozenset(single), tuple(maker.asked), kinds)
        if len(set(made.outputs)) < len(made.outputs):
            raise ConfigError(f"{steps.where}: a feature is called as one that tfidf makes")
        return made

    @functools.cached_property
    def kind_of(self) -> dict[str, Kind]:
        """What each feature is, by its name."""
        return dict(self.kinds)

    @property
    def kept(self) -> frozenset[str]:
        """The names of the figures that a cache keeps: those that depend on rows only."""
        return frozenset(each.name for each in self.asked if each.phase == 0)

    @property
    def phases(self) -> int:
        """How many passes over the rows are needed."""
        return 1 + max((each.phase for each in self.asked), default=-1)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the columns that features become, sorted."""
        kinds, made = self.kind_of, []
        for name in (each.name for each in self.steps.features if each.output):
            made += [f"{name}_index", f"{name}_weight"] if kinds[name].weighted else [name]
        return tuple(sorted(made))
