"""Preprocessing functions: named on a command line, traced at launch, and what is wrong in them."""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.preprocess.columns import RawColumns
from transforms.tensorflow import tensorflow, tensorflow_transform
from transforms.user_code import Code, line_of

Function = Callable[[dict[str, Any]], dict[str, Any]]
"""What tf.Transform calls a `preprocessing_fn`: from tensors by feature to tensors by feature."""

NAME = "preprocessing_fn"
_DTYPES = ("int64", "float32", "string")


@dataclass(frozen=True)
class PreprocessingFn:
    """A function of a file or module, which travels to workers by its text or its name.

    Attributes:
      code: The file; None where it is of a module.
      module: The module; empty where it is of a file.
      name: The function's name.
    """

    code: Code | None
    module: str
    name: str = NAME

    @classmethod
    def read(cls, text: str) -> "PreprocessingFn":
        """Finds a function.

        Args:
          text: `features.py`, `gs://b/features.py:name`, `package.module` or `package.module:name`;
            without a name it is called `preprocessing_fn`.

        Raises:
          ConfigError: There is no such file, module or function, or it can't be run.
        """
        # Before the user's file does it, so that Keras 3 is kept.
        tensorflow_transform()
        place, colon, name = text.rpartition(":")
        if not colon or not name.isidentifier():
            place, name = text, NAME
        if "/" in place or place.endswith(".py"):
            made = cls(Code.read(place, f"--{NAME}"), "", name)
        else:
            made = cls(None, place, name)
        made.function()
        return made

    def function(self) -> Function:
        """Returns the function itself.

        Raises:
          ConfigError: It isn't there, or is none.
        """
        tensorflow_transform()
        if self.code is not None:
            self.code.check(self.name)
            found: Function = self.code.functions()[self.name]
            return found
        try:
            module = importlib.import_module(self.module)
        except ImportError as error:
            raise ConfigError(
                f"--{NAME} {self.module}: can't be imported ({error}): name a module that is "
                "installed, here and on the workers, or a file: features.py"
            ) from None
        function = getattr(module, self.name, None)
        if not callable(function):
            known = [name for name in vars(module) if callable(getattr(module, name))]
            raise ConfigError(
                f"--{NAME} {self.module}: has no function {self.name!r}"
                f"{nearest_column(self.name, known)}"
            )
        return function  # type: ignore[no-any-return]

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Calls it."""
        return self.function()(inputs)

    def __str__(self) -> str:
        """Returns as a user would name it."""
        return f"{self.code.path if self.code else self.module}:{self.name}"


@dataclass(frozen=True)
class Traced:
    """What tracing a function tells of it.

    Attributes:
      columns: What it takes; those that its analyzers or outputs depend on are used.
      outputs: The names of its outputs.
      analyzed: Whether it has analyzers, which need a pass over the data.
    """

    columns: RawColumns
    outputs: tuple[str, ...]
    analyzed: bool


def trace(function: Function, columns: RawColumns) -> Traced:
    """Traces a preprocessing function without any data, and looks at what it makes.

    Args:
      function: It.
      columns: What it is given.

    Raises:
      ConfigError: It fails, asks for a column that the schema lacks, or makes what a tf.Example
        can't hold.
    """
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapter

    tft = tensorflow_transform()
    specs = TensorAdapter(columns.adapter()).OriginalTypeSpecs()
    made: dict[str, Any] = {}

    def observed(inputs: dict[str, Any]) -> dict[str, Any]:
        outputs = function(_Inputs(inputs))
        _check_outputs(outputs, str(_named(function)))
        made.update(outputs)
        return outputs

    try:
        analyzed = tft.get_analyze_input_columns(observed, specs)
        used = {*analyzed, *tft.get_transform_input_columns(observed, specs)}
    except ConfigError:
        raise
    except Exception as error:
        raise _explained(error, function, columns) from None
    return Traced(columns.only(used), tuple(sorted(made)), bool(analyzed))


class _Inputs(dict[str, Any]):
    """Tensors by feature, which tell what is missing in the words of the schema."""

    def __missing__(self, name: str) -> Any:
        raise _NoColumn(name)


class _NoColumn(Exception):
    """A function asks for a column that the schema lacks."""


def _explained(error: Exception, function: Function, columns: RawColumns) -> ConfigError:
    """Explains an error of a function while it is traced, when there are no values to show."""
    what, known = _named(function), [feature.name for feature in columns.features]
    path = function.code.path if isinstance(function, PreprocessingFn) and function.code else ""
    line = f" in line {line_of(error, path)}" if path and line_of(error, path) else ""
    if isinstance(error, _NoColumn):
        (name,) = error.args
        return ConfigError(
            f"--{NAME} {what}{line}: column {name!r} is not in the schema"
            f"{nearest_column(name, known)}; the schema has {', '.join(known)}"
        )
    told = (str(error).strip().splitlines() or [""])[0]
    hint = _double(told)
    return ConfigError(f"--{NAME} {what} fails{line}: {type(error).__name__}: {told}{hint}")


def _double(told: str) -> str:
    """Returns the hint for float32 beside float64: a FLOAT of a schema is a float32."""
    if not re.search("float64|double", told):
        return ""
    return ". A FLOAT of the schema is float32: cast what is float64 by tf.cast(x, tf.float32)"


def _named(function: Function) -> str:
    if isinstance(function, PreprocessingFn):
        return str(function)
    return getattr(function, "__name__", type(function).__name__)


def _check_outputs(outputs: Any, what: str) -> None:
    tf = tensorflow()
    kinds = (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)
    if not isinstance(outputs, Mapping) or not outputs:
        raise ConfigError(
            f"--{NAME} {what}: must return a dict of tensors by the names of new columns, but "
            f"returned {type(outputs).__name__ if not isinstance(outputs, Mapping) else 'none'}"
        )
    for name, value in outputs.items():
        if not isinstance(value, kinds):
            raise ConfigError(
                f"--{NAME} {what}: output {name!r} is no tensor, but {type(value).__name__}"
            )
        if value.dtype.name not in _DTYPES:
            to = "tf.float32" if value.dtype.is_floating else "tf.int64"
            raise ConfigError(
                f"--{NAME} {what}: output {name!r} is {value.dtype.name}, which no tf.Example "
                f"holds: cast it by tf.cast({name}, {to})"
            )
