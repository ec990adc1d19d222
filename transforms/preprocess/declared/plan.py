"""A plan of declared steps: kinds checked against the columns, and which figures they need when.

A figure that depends on another one needs rows that are transformed by that, and so another pass.
What is filled in is an exception: the rows without a value are counted, and when it is known, so
many of it are added to the figures that follow: `fill: mean, scale_to_z_score` takes one pass.
"""

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.preprocess.columns import DENSE, SPARSE, RawColumns, RawFeature
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
        return f"{self.feature}:{self.step}"


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
        single = {each.name for each in schema.feature if each.value_count.max == 1}
        maker = _Maker(steps, every, single)
        for feature in steps.features:
            maker.add(feature)
        used = [every[name] for name in steps.columns]
        columns = RawColumns(tuple(used), frozenset(steps.columns))
        kinds = tuple((name, maker.kinds[name]) for name in maker.kinds)
        made = cls(steps, columns, frozenset(single), tuple(maker.asked), kinds)
        if len(set(made.outputs)) < len(made.outputs):
            raise ConfigError(f"{steps.where}: a feature is called as one that tfidf makes")
        return made

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
        kinds, made = dict(self.kinds), []
        for name in (each.name for each in self.steps.features if each.output):
            made += [f"{name}_index", f"{name}_weight"] if kinds[name].weighted else [name]
        return tuple(sorted(made))


def _is_file(name: str) -> bool:
    """Returns whether a file can have this name in any file system."""
    return (
        not {"/", "\\", "\0"} & set(name) and name not in (".", "..") and len(name.encode()) < 200
    )


class _Maker:
    def __init__(self, steps: Steps, columns: dict[str, RawFeature], single: set[str]) -> None:
        self.steps, self.columns, self.single = steps, columns, single
        self.kinds: dict[str, Kind] = {}
        self.phase: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        self.files: dict[str, list[Any]] = {}
        self.asked: list[Asked] = []
        self.units = {each.name: each.unit for each in columns.values()}

    def add(self, feature: Feature) -> None:
        """Takes a feature into the plan."""
        kind = self.given(feature)
        digest = _digest([self.told(feature, name) for name in feature.inputs])
        phase = max((self.phase[name] for name in feature.inputs if feature.of_features), default=0)
        fill: int | None = None
        self.check_units(feature)
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

    def check_units(self, feature: Feature) -> None:
        """Checks that steps of a column of times name its unit."""
        if feature.of_features:
            return
        for unit in filter(None, (self.units[name] for name in feature.inputs)):
            for place, step in enumerate(feature.steps):
                if getattr(step, "unit", unit) != unit:
                    told = f"the times of {feature.name!r} are in {unit}, not {step.unit}"  # type: ignore[attr-defined]
                    raise self.steps.error(feature.places[place], f"{told}: say unit: {unit}")

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


def column_kind(column: RawFeature, single: bool) -> Kind:
    """Returns the kind of a column; a single one has one value a row at most."""
    if column.kind == DENSE:
        return (
            Kind("one", column.dtype)
            if column.size == 1
            else Kind("vector", column.dtype, size=column.size)
        )
    one = column.kind == SPARSE and single
    return Kind("one" if one else "many", column.dtype, whole=False)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:24]


def raw_schema(steps: Steps, columns: Any) -> Any:
    """Returns a schema for the columns that steps take, where nobody has written one.

    Each column may be missing in any row; one that is no list has one value at most. Timestamps and
    dates are seconds since 1970.

    Args:
      steps: Any.
      columns: The Arrow schema of the rows.

    Raises:
      ConfigError: A column is not there, or of a type that no tf.Example holds.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    from transforms.arrow.types import SCALARS, is_list, plain_type, to_example
    from transforms.preprocess.times import is_point

    kinds = {scalar.arrow: scalar.feature for scalar in reversed(SCALARS)}
    schema = schema_pb2.Schema()
    for feature in steps.features:
        for name in () if feature.of_features else feature.inputs:
            if name not in columns.names:
                near = nearest_column(name, columns.names)
                near = near or f"; there are {', '.join(columns.names)}"
                raise steps.error(feature.place, f"there is no column {name!r}{near}")
    for name in steps.columns:
        type = plain_type(columns.field(name).type)
        narrowed = pa.int64() if is_point(type) else to_example(type)
        if narrowed is None:
            raise ConfigError(f"column {name!r} is {type}, which no step takes: cast it first")
        listed = is_list(narrowed)
        leaf = narrowed.value_type if listed else narrowed
        made = schema.feature.add(name=name, type=schema_pb2.FeatureType.Value(kinds[leaf]))
        if is_point(type):
            made.time_domain.integer_format = schema_pb2.TimeDomain.UNIX_SECONDS
        made.value_count.min = 0
        if not listed:
            made.value_count.max = 1
    return schema


def narrowed(schema: Any, plan: Plan) -> Any:
    """Returns the part of a schema that is of the columns of a plan: what its graph takes."""
    made = type(schema)()
    made.CopyFrom(schema)
    kept = [each for each in schema.feature if each.name in plan.steps.columns]
    del made.feature[:]
    made.feature.extend(kept)
    for group in made.tensor_representation_group.values():
        for name in set(group.tensor_representation) - set(plan.steps.columns):
            del group.tensor_representation[name]
    return made
