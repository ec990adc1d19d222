"""A model as configured: where it is, what it takes and gives, which columns feed it."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from inference.binding import Binding, Mappings, bind
from inference.kinds import existing, handler, kind_of
from inference.model_files import local_path
from inference.predictions import column_type
from inference.signature import Layout, Signature, TensorSpec, faults
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from inference.handlers import Program

BATCH_ROWS = 8192
VERSION_COLUMN = "model_version"

Columns = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str | Sequence[str]]]
"""Columns by input, as the user gives them: `{"features": "f0,f1"}` or `{"features": ["f0"]}`."""


@dataclass(frozen=True)
class Model:
    """A model, resolved once in the launcher and shipped to the workers. It holds no weights.

    Attributes:
      uri: Its directory or file, local or gs://.
      kind: The name of its kind, in `kinds.KINDS`.
      signature: What it takes and gives.
      version: The last part of the URI if that is a number, else the digest.
      digest: A hash that changes with the graph and the weights.
      mapping: The columns of inputs that are not named like their column.
      output_prefix: Put before the names of the columns that it adds.
      batch_rows: The most rows of a call.
    """

    uri: str
    kind: str
    signature: Signature
    version: str
    digest: str
    mapping: tuple[tuple[str, tuple[str, ...]], ...] = ()
    output_prefix: str = ""
    batch_rows: int = BATCH_ROWS

    @classmethod
    def resolve(
        cls,
        uri: str,
        signature: str | None = None,
        mapping: Columns | None = None,
        output_prefix: str = "",
        batch_rows: int = BATCH_ROWS,
    ) -> "Model":
        """Looks at a model: finds its signature and checks the configuration.

        A SavedModel's weights are not loaded for it, unless it hides the rank of an output.

        Args:
          uri: A SavedModel directory or `.keras` file, local or gs://.
          signature: A SavedModel's signature; None for `serving_default`, or the only one.
          mapping: Inputs to columns, where their names differ: `{"features": ["f0", "f1"]}`
            stacks columns, `{"features": "f*"}` those that match in the order of the schema, and
            `{"tips": ""}` leaves an input that allows it without values.
          output_prefix: Put before the names of the columns that the model adds.
          batch_rows: The most rows of a call.

        Raises:
          ConfigError: There is no such model, signature or input, or no column could hold one of
            its tensors.
        """
        if batch_rows < 1:
            raise ConfigError(f"--batch_rows is at least 1, not {batch_rows}")
        uri = uri.rstrip("/")
        kind = kind_of(uri)
        path = existing(uri, kind)
        described, digest = handler(kind).describe(str(path), signature)
        last = uri.rpartition("/")[2]
        model = cls(
            uri,
            kind.name,
            described,
            last if last.isdigit() else digest,
            digest,
            tuple(_mappings(mapping)),
            output_prefix,
            batch_rows,
        )
        model._check_signature()
        return model._ranked()

    def load(self) -> "Program":
        """Loads it with its weights."""
        path = str(local_path(self.uri))
        program: Program = handler(kind_of(self.uri)).load(path, self.signature)
        return program

    def bind(self, schema: pa.Schema, keep_columns: Sequence[str] | None = None) -> Binding:
        """Which columns feed which inputs.

        Args:
          schema: The columns there are.
          keep_columns: Those to keep beside the outputs; None keeps all.

        Raises:
          ConfigError: See `check`.
        """
        kept = schema.names if keep_columns is None else keep_columns
        problems = [_no_column(name, schema.names) for name in kept if name not in schema.names]
        added = {field.name for field in self.output_fields()}
        problems += [
            f"output column {name!r} of the model is also a column of the input: pass "
            "--output_prefix, or --keep_columns without it"
            for name in sorted(added & set(kept))
        ]
        try:
            binding = bind(self.signature, dict(self.mapping), schema)
        except ConfigError as error:
            problems.append(str(error))
        if problems:
            raise ConfigError("\n".join([f"model {self.uri}: {problems[0]}", *problems[1:]]))
        return binding

    def check(self, schema: pa.Schema, keep_columns: Sequence[str] | None = None) -> None:
        """Checks that columns can feed the model, before any work.

        Args:
          schema: The columns there are.
          keep_columns: Those to keep beside the outputs; None keeps all.

        Raises:
          ConfigError: Columns are missing or of a wrong type, or would occur twice in the
            output. It tells everything that is wrong.
        """
        self.bind(schema, keep_columns)

    def input_columns(self, schema: pa.Schema) -> list[str]:
        """The columns of a schema that the model reads."""
        feeds = self.bind(schema, keep_columns=()).feeds
        return list(dict.fromkeys(column.name for feed in feeds for column in feed.columns))

    def input_types(self) -> dict[str, pa.DataType]:
        """The types of the input columns, for formats that don't tell them, such as CSV.

        A sparse input takes scalars as well as lists, and is listed as scalar. Columns that are
        mapped by a pattern are not listed.
        """
        mapping, types = dict(self.mapping), {}
        for spec in self.signature.features or self.signature.inputs:
            if self.signature.features is not None and not self.signature.features:
                break
            names = (name for name in (spec.name, *spec.parts[:1]) if name in mapping)
            columns = mapping.get(next(names, ""), (spec.name,))
            type = spec.arrow() if len(columns) > 1 else _input_type(spec)
            types.update({column: type for column in columns if "*" not in column})
        return types

    def output_fields(self) -> list[pa.Field]:
        """The columns that the model adds: its outputs and `model_version`."""
        fields = [
            pa.field(self.output_prefix + spec.name, column_type(spec))
            for spec in self.signature.outputs
        ]
        return [*fields, pa.field(self.output_prefix + VERSION_COLUMN, pa.string())]

    def _check_signature(self) -> None:
        signature = self.signature
        problems = list(faults(signature))
        if not problems:
            names = [field.name for field in self.output_fields()]
            twice = sorted({name for name in names if names.count(name) > 1})
            problems += [f"it has several outputs of the name {name!r}" for name in twice]
            problems += _unknown_inputs(signature, dict(self.mapping))
        if problems:
            where = f"model {self.uri}, signature {signature.name!r}"
            raise ConfigError(f"{where}: {'; '.join(problems)}")

    def _ranked(self) -> "Model":
        """The model with the ranks of its outputs, which a graph may hide: then it is called."""
        if all(spec.shape is not None for spec in self.signature.outputs):
            return self
        from inference.blank import observed_ranks

        ranks = observed_ranks(self.load(), self.signature)
        outputs = [
            spec if spec.shape is not None else replace(spec, shape=(None,) * ranks[spec.name])
            for spec in self.signature.outputs
        ]
        return replace(self, signature=replace(self.signature, outputs=tuple(outputs)))


def _mappings(mapping: Columns | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    pairs = mapping.items() if isinstance(mapping, Mapping) else mapping or ()
    for name, columns in pairs:
        parts = columns.split(",") if isinstance(columns, str) else columns
        yield name, tuple(column for column in parts if column)


def _unknown_inputs(signature: Signature, mapping: Mappings) -> Iterator[str]:
    """What is mapped, but no input of the model."""
    specs = [*(signature.features or ()), *signature.inputs]
    names = [spec.name for spec in specs]
    aliases = {part for spec in specs for part in spec.parts[:1]}
    for name in mapping:
        if name not in names and name not in aliases:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            yield f"--map {name}=...: no input is called so{hint}; there are: {', '.join(names)}"


def _no_column(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"--keep_columns: there is no column {name!r}{hint}; there are: {', '.join(names)}"


def _input_type(spec: TensorSpec) -> pa.DataType:
    """The type of the one column that feeds an input."""
    type = spec.arrow()
    sizes = spec.row_shape or ()
    if sizes == (1,) or (spec.layout == Layout.SPARSE and len(sizes) == 1):
        return type
    for _ in sizes:
        type = pa.list_(type)
    return type
