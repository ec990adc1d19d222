"""A file of declared steps, read: features, each a chain of steps from columns of the rows.

features:
  fare_scaled:                        # the name of the new column
    column: fare                      # the feature's own name by default
    steps:
      - fill: median                  # the first parameter of a step needs no name
      - log1p
      - scale_to_z_score
  company:
    steps:
      - compute_and_apply_vocabulary: {top_k: 50, num_oov_buckets: 1}
  fare_bucket:
    feature: fare_scaled              # of a feature above, as it is after its steps
    steps: [bucketize: 10]
    output: false                     # for other features only
"""

import dataclasses
import functools
import types
import typing
from dataclasses import dataclass
from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.preprocess.steps.registry import step_named
from transforms.preprocess.steps.step import Step, WrongStep
from transforms.yaml_text import YamlText

_FIELDS = ("column", "columns", "feature", "features", "steps", "output")
_SOURCES = _FIELDS[:4]


@dataclass(frozen=True)
class Feature:
    """A declared feature.

    Attributes:
      name: Of the new column.
      inputs: What it is made of: columns, or features above.
      of_features: Which of the two.
      steps: What is done, in order.
      places: The line and column of each step in the file.
      place: The line and column of the feature.
      output: Whether it becomes a column.
    """

    name: str
    inputs: tuple[str, ...]
    of_features: bool
    steps: tuple[Step, ...]
    places: tuple[tuple[int, int], ...]
    place: tuple[int, int]
    output: bool = True


@dataclass(frozen=True)
class Steps:
    """Declared steps, as they stand in a file; which columns there are is not known yet.

    Attributes:
      features: In the order of the file.
      where: The name of the file.
    """

    features: tuple[Feature, ...]
    where: str = "steps"

    @classmethod
    def read(cls, uri: str) -> "Steps":
        """Reads a YAML file.

        Raises:
          ConfigError: It isn't there, or is wrong; the text names line and column.
        """
        from transforms.files.filesystem import read_text

        return cls.parse(read_text(uri, "--steps"), uri)

    @classmethod
    def parse(cls, text: str, where: str = "steps") -> "Steps":
        """Reads a YAML text.

        Args:
          text: It; the docstring of this module shows one.
          where: Its name in errors.

        Raises:
          ConfigError: It is wrong; the text names line and column.
        """
        return cls(_Reader(text, where).features(), where)

    @functools.cached_property
    def by_name(self) -> dict[str, Feature]:
        """The features by their names."""
        return {each.name: each for each in self.features}

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the rows that any feature is made of."""
        used = {name for each in self.features if not each.of_features for name in each.inputs}
        return tuple(sorted(used))

    def error(self, place: tuple[int, int], message: str) -> ConfigError:
        """Returns an error at a place of the file."""
        return ConfigError(f"{self.where}: line {place[0]}, column {place[1]}: {message}")


class _Reader(YamlText):
    def features(self) -> tuple[Feature, ...]:
        """Returns the features; each may be made of the ones above it."""
        root = self.root()
        hint = "`features: {name: {steps: [...]}}`"
        if root is None:
            raise ConfigError(f"{self.where}: is empty: it has {hint}")
        body = self.fields(root, ("features",), "the file", hint).get("features")
        if body is None:
            raise self.error(root.start_mark, f"the file has no features: {hint}")
        made: dict[str, Feature] = {}
        for name, key, node in self.pairs(body, "features", "`name: {steps: [...]}`"):
            made[name] = self.feature(name, key, node, made)
        if not any(each.output for each in made.values()):
            raise self.error(body.start_mark, "no feature is an output")
        return tuple(made.values())

    def feature(self, name: str, key: Any, node: Any, above: dict[str, Feature]) -> Feature:
        """Returns a feature."""
        fields = self.fields(node, _FIELDS, f"feature {name!r}", "`{column: ..., steps: [...]}`")
        sources = [each for each in _SOURCES if each in fields]
        if len(sources) > 1:
            raise self.error(key.start_mark, f"feature {name!r} has {' and '.join(sources)}: one")
        source = sources[0] if sources else "column"
        inputs = self.names(fields[source]) if sources else (name,)
        if source.startswith("feature"):
            for each in inputs:
                if each not in above:
                    near = nearest_column(each, above) or ": it must stand above this one"
                    told = f"there is no feature {each!r}{near}"
                    raise self.error(fields[source].start_mark, told)
        elif source == "column" and len(inputs) > 1:
            raise self.error(fields[source].start_mark, "column is one: several are columns")
        pairs = self.chain(fields["steps"]) if "steps" in fields else []
        return Feature(
            name,
            inputs,
            source.startswith("feature"),
            tuple(step for step, _ in pairs),
            tuple(place for _, place in pairs),
            self.place(key.start_mark.index),
            self.flag(fields["output"]) if "output" in fields else True,
        )

    def names(self, node: Any) -> tuple[str, ...]:
        """Returns one name, or several."""
        nodes = node.value if node.id == "sequence" else [node]
        names = tuple(self.scalar(each) for each in nodes)
        if not names:
            raise self.error(node.start_mark, "expected a name, or several")
        return names

    def flag(self, node: Any) -> bool:
        """Returns true or false."""
        value = self.value(node)
        if not isinstance(value, bool):
            raise self.error(node.start_mark, "output is true or false")
        return value

    def chain(self, node: Any) -> list[tuple[Step, tuple[int, int]]]:
        """Returns steps, each with its place."""
        nodes = node.value if node.id == "sequence" else [node]
        return [(self.step(each), self.place(each.start_mark.index)) for each in nodes]

    def step(self, node: Any) -> Step:
        """Returns a step: a name, or a name with parameters."""
        name, parameters = node, None
        if node.id == "mapping":
            if len(node.value) != 1:
                raise self.error(node.start_mark, "a step is one name, with its parameters")
            ((name, parameters),) = node.value
        try:
            made = step_named(self.scalar(name))
            found = {} if parameters is None else self.parameters(made, parameters)
            step = made(**found)
            step.check()
        except WrongStep as error:
            raise self.error(name.start_mark, str(error)) from None
        return step

    def parameters(self, made: type[Step], node: Any) -> dict[str, Any]:
        """Returns the parameters of a step by name, each of its type."""
        hints = typing.get_type_hints(made)
        known = {each.name: hints[each.name] for each in dataclasses.fields(made)}
        if node.id != "mapping":
            if node.id == "scalar" and not node.value:
                return {}
            if not known:
                raise self.error(node.start_mark, f"{made.name} has no parameters")
            first = next(iter(known))
            return {first: self.parameter(first, node, known[first])}
        fields = self.fields(node, tuple(known), made.name, "`{name: value}`")
        return {name: self.parameter(name, each, known[name]) for name, each in fields.items()}

    def parameter(self, name: str, node: Any, wanted: Any) -> Any:
        """Returns a parameter of a type."""
        value = self.value(node)
        options = typing.get_args(wanted) if isinstance(wanted, types.UnionType) else (wanted,)
        for option in options:
            if (made := _as(value, option)) is not None:
                return made
        if value is None and type(None) in options:
            return None
        words = " or ".join(_WORDS[_plain(each)] for each in options if each is not type(None))
        raise self.error(node.start_mark, f"{name} is {words}, not {_word(value)}")


_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "a text"} | {
    tuple: "a list"
}


def _plain(wanted: Any) -> Any:
    return typing.get_origin(wanted) or wanted


def _word(value: Any) -> str:
    if isinstance(value, list | dict):
        # Aliases can make a short text a value without end.
        return "several" if isinstance(value, list) else "fields"
    return "nothing" if value is None else repr(value)


def _as(value: Any, wanted: Any) -> Any:
    """Returns a value of YAML as a type; None if it is no such value."""
    if _plain(wanted) is tuple:
        item = typing.get_args(wanted)[0]
        items = [_as(each, item) for each in value] if isinstance(value, list) else [None]
        return None if None in items else tuple(items)
    if isinstance(value, int | float) and not abs(value) < (
        2**63 if type(value) is int else 2**128
    ):
        # Integers of 64 bits and floats of 32 do not hold it, or it is NaN.
        return None
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value if type(value) is wanted else None
