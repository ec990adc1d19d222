"""A model as configured: where it is, what it takes and gives, which columns feed it."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from inference.devices.execution import FLOAT32, Execution
from inference.model.checkpoint import check_whole
from inference.model.kinds import existing, handler, kind_of
from inference.signature.binding import Binding, bind
from inference.signature.spec import Layout, Mappings, Signature, TensorSpec, faults
from inference.tensors.predictions import column_type
from inference.time_limit import TimeLimit
from transforms.errors import ConfigError
from transforms.files.local_copy import local_path
from transforms.nearest import most_similar
from transforms.wording import mapped, setting
from transforms.words import repeated

if TYPE_CHECKING:
    from inference.handlers.tensorflow import TensorFlowProgram
    from inference.model.transformed import Transformed

BATCH_ROWS = 8192
_log = logging.getLogger(__name__)
TIMEOUT = 3600.0
"""Seconds after which a call is given up: more than any takes that ends."""

VERSION_COLUMN = "model_version"

Columns = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str | Sequence[str]]]
"""Columns by input, as the user gives them: `{"features": "f0,f1"}` or `{"features": ["f0"]}`."""


@dataclass(frozen=True)
class Model:
    """A model, resolved once in the launcher and shipped to the workers. It holds no weights.

    Attributes:
      uri: Its directory or file, local or gs://.
      kind: The name of its kind, in `inference.model.kinds.KINDS`.
      signature: What it takes and gives.
      version: The last part of the URI if that is a number, else the digest.
      digest: A hash that changes with the graph and the weights.
      mapping: The columns of inputs that are not named like their column.
      output_prefix: Put before the names of the columns that it adds.
      batch_rows: The most rows of a call.
      trusted: Whether it may reach outside of TensorFlow: to files, to Python.
      timeout: The most seconds of a call; None for any number.
      transformed: How a transform graph feeds it; None where columns do. The signature is then of
        both together.
    """

    uri: str
    kind: str
    signature: Signature
    version: str
    digest: str
    mapping: tuple[tuple[str, tuple[str, ...]], ...] = ()
    output_prefix: str = ""
    batch_rows: int = BATCH_ROWS
    trusted: bool = False
    timeout: float | None = TIMEOUT
    transformed: "Transformed | None" = None

    @classmethod
    def resolve(
        cls,
        uri: str,
        signature: str | None = None,
        mapping: Columns | None = None,
        output_prefix: str = "",
        batch_rows: int = BATCH_ROWS,
        trust_model: bool = False,
        model_timeout: float | None = TIMEOUT,
        transform_graph: str | None = None,
    ) -> "Model":
        """Looks at a model: finds its signature and checks the configuration.

        A SavedModel's weights are not loaded for it, unless it hides the rank of an output.

        Args:
          uri: A SavedModel directory or `.keras` file, local or gs://.
          signature: A SavedModel's signature; None for `serving_default`, or the only one.
          mapping: Inputs to columns, where their names differ: `{"features": ["f0", "f1"]}`
            stacks columns, `{"features": "f*"}` those that match (f0, f1, ... f10), and
            `{"tips": ""}` leaves an input that allows it without values.
          output_prefix: Put before the names of the columns that the model adds.
          batch_rows: The most rows of a call.
          trust_model: Lets the model and the transform graph reach outside of TensorFlow: read and
            write files, run Python code. Trust who made them.
          model_timeout: The most seconds of a call; None for any number.
          transform_graph: A frozen transform graph, which makes what the model takes of raw
            columns, in the same call; `mapping` then names outputs of it, or raw columns.

        Raises:
          ConfigError: There is no such model, signature, graph or input, its files are damaged, no
            column could hold one of its tensors, it reaches outside without being trusted, or the
            graph doesn't make what the model takes.
        """
        if batch_rows < 1:
            raise ConfigError(f"{setting('batch_rows')} is at least 1, not {batch_rows}")
        if model_timeout is not None and not model_timeout > 0:
            raise ConfigError(f"{setting('model_timeout')} is above 0, not {model_timeout:g}")
        uri = uri.rstrip("/")
        kind = kind_of(uri)
        path = existing(uri, kind)
        check_whole(uri, kind.index, path)
        described, digest = handler(kind, "describe")(str(path), signature, trust_model)
        last = uri.rpartition("/")[2]
        model = cls(
            uri,
            kind.name,
            described,
            last if last.isdigit() else digest,
            digest,
            tuple(_mappings(mapping)) if transform_graph is None else (),
            output_prefix,
            batch_rows,
            trust_model,
            model_timeout,
        )
        model._check_signature()
        model = model._ranked()
        if transform_graph is None:
            return model
        return model._behind(transform_graph, dict(_mappings(mapping)))

    def _behind(self, transform_graph: str, mapping: Mappings) -> "Model":
        """Returns the same model, fed by a transform graph."""
        from inference.model.transformed import Transformed
        from transforms.preprocess.graph import TransformGraph

        graph = TransformGraph.read(transform_graph, self.trusted, "trust_model")
        inputs = {spec.name for spec in self.signature.inputs}
        raw = {feature.name for feature in graph.columns.features}
        own = {
            name: columns
            for name, columns in mapping.items()
            if name in inputs and (name not in raw or set(columns) <= set(graph.outputs))
        }
        try:
            made = Transformed.of(graph, self.signature, own)
        except ConfigError as error:
            raise ConfigError(f"model {self.uri}: {error}") from None
        rest = tuple((name, columns) for name, columns in mapping.items() if name not in own)
        digest = f"{self.digest}-{graph.version}"
        model = replace(
            self, signature=made.signature(), mapping=rest, digest=digest, transformed=made
        )
        model._check_signature()
        return model

    def load(self, execution: Execution | None = None) -> "TensorFlowProgram":
        """Loads it with its weights, and the transform graph before it.

        Args:
          execution: Whether it is compiled, and in which precision it multiplies matrices.

        Raises:
          ConfigError: It can't be loaded, compiled, or run in that precision.
        """
        how = execution or Execution()
        program = self.load_own(how.precision)
        if self.transformed is not None:
            program = self.transformed.fused(program)
        if not how.jit:
            return program
        from inference.handlers.placed import compiled

        return compiled(program, self.uri)

    def load_own(self, precision: str = FLOAT32) -> "TensorFlowProgram":
        """Loads the model alone, with its weights."""
        path, kind = str(local_path(self.uri)), kind_of(self.uri)
        own = self.signature if self.transformed is None else self.transformed.own
        program: TensorFlowProgram = handler(kind, "load")(path, own, self.trusted, precision)
        return program

    def bind(self, schema: pa.Schema, keep_columns: Sequence[str] | str | None = None) -> Binding:
        """Returns which columns feed which inputs.

        Args:
          schema: The columns there are.
          keep_columns: Those to keep beside the outputs, or the name of one; None keeps all.

        Raises:
          ConfigError: See `check`.
        """
        names = names_of(keep_columns)
        kept = schema.names if names is None else names
        there = set(schema.names)
        problems = [_no_column(name, schema.names) for name in kept if name not in there]
        added = {field.name for field in self.output_fields()}
        problems += [
            f"output column {name!r} of the model is also a column of the input: pass "
            f"{setting('output_prefix')}, or {setting('keep_columns')} without it"
            for name in sorted(added & set(kept))
        ]
        try:
            binding = bind(self.signature, dict(self.mapping), schema)
        except ConfigError as error:
            problems.append(str(error))
        if problems:
            raise ConfigError("\n".join([f"model {self.uri}: {problems[0]}", *problems[1:]]))
        return binding

    def check(self, schema: pa.Schema, keep_columns: Sequence[str] | str | None = None) -> None:
        """Checks that columns can feed the model, before any work, and notes what is assumed.

        Args:
          schema: The columns there are.
          keep_columns: Those to keep beside the outputs, or the name of one; None keeps all.

        Raises:
          ConfigError: Columns are missing or of a wrong type, or would occur twice in the
            output. The text lists all problems.
        """
        for note in self.bind(schema, keep_columns).notes:
            _log.warning("model %s: %s", self.uri, note)

    def input_columns(self, schema: pa.Schema) -> list[str]:
        """Returns the columns of a schema that the model reads."""
        feeds = self.bind(schema, keep_columns=()).feeds
        return list(dict.fromkeys(column.name for feed in feeds for column in feed.columns))

    def input_types(self, times: bool = True) -> dict[str, pa.DataType]:
        """Returns the types of the input columns, for formats without types, such as CSV.

        A sparse input takes scalars as well as lists, and is listed as scalar. Columns that are
        mapped by a pattern are listed by the pattern, `f*`.

        Args:
          times: Whether to list columns of times, as integers. Files may have dates there instead,
            and tell so themselves; messages are read by the types alone.
        """
        mapping, types = dict(self.mapping), {}
        for spec in self.signature.features or self.signature.inputs:
            if self.signature.features is not None and not self.signature.features:
                break
            if spec.unit is not None and not times:
                continue
            names = (name for name in (spec.name, *spec.parts[:1]) if name in mapping)
            columns = mapping.get(next(names, ""), (spec.name,))
            many = len(columns) > 1 or any("*" in column for column in columns)
            types.update(dict.fromkeys(columns, spec.arrow() if many else _input_type(spec)))
        return types

    def output_fields(self) -> list[pa.Field]:
        """Returns the columns that the model adds: its outputs and `model_version`."""
        fields = [
            pa.field(self.output_prefix + spec.name, column_type(spec))
            for spec in self.signature.outputs
        ]
        return [*fields, pa.field(self.output_prefix + VERSION_COLUMN, pa.string())]

    def _check_signature(self) -> None:
        signature = self.signature
        problems = list(faults(signature))
        if not problems:
            twice = repeated(field.name for field in self.output_fields())
            problems += [f"it has several outputs of the name {name!r}" for name in twice]
            problems += _unknown_inputs(signature, dict(self.mapping))
        if problems:
            where = f"model {self.uri}, signature {signature.name!r}"
            raise ConfigError(f"{where}: {'; '.join(problems)}")

    def _ranked(self) -> "Model":
        """Returns the model with its outputs' ranks; if the graph hides these, it is called."""
        if all(spec.shape is not None for spec in self.signature.outputs):
            return self
        from inference.tensors.blank import observed_ranks

        ranks = observed_ranks(self.load(), self.signature, TimeLimit(self.timeout))
        outputs = [
            spec if spec.shape is not None else replace(spec, shape=(None,) * ranks[spec.name])
            for spec in self.signature.outputs
        ]
        return replace(self, signature=replace(self.signature, outputs=tuple(outputs)))


def names_of(columns: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Returns the names of columns; a single text is one name."""
    if columns is None:
        return None
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _mappings(mapping: Columns | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    pairs = mapping.items() if isinstance(mapping, Mapping) else mapping or ()
    for name, columns in pairs:
        parts = columns.split(",") if isinstance(columns, str) else columns
        yield name, tuple(column for column in parts if column)


def _unknown_inputs(signature: Signature, mapping: Mappings) -> Iterator[str]:
    """Yields a problem for each mapping of something that is no input of the model."""
    specs = [*(signature.features or ()), *signature.inputs]
    names = [spec.name for spec in specs]
    aliases = {part for spec in specs for part in spec.parts[:1]}
    for name in mapping:
        if name not in names and name not in aliases:
            near = most_similar(name, names)
            hint = f" (did you mean {near!r}?)" if near else ""
            way = mapped(name, ["..."])
            yield f"{way}: no input is called so{hint}; there are: {', '.join(names)}"


def _no_column(name: str, names: list[str]) -> str:
    near = most_similar(name, names)
    hint = f" (did you mean {near!r}?)" if near else ""
    way = setting("keep_columns").rstrip("=")
    return f"{way}: there is no column {name!r}{hint}; there are: {', '.join(names)}"


def _input_type(spec: TensorSpec) -> pa.DataType:
    """Returns the type of the one column that feeds an input."""
    type = spec.arrow()
    sizes = spec.row_shape or ()
    if sizes == (1,) or (spec.layout == Layout.SPARSE and len(sizes) == 1):
        return type
    for _ in sizes:
        type = pa.list_(type)
    return type
