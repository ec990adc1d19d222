"""Functions in Python, from a file of the user's: rules, slices and whatever else names them."""

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.nearest import nearest_column


@dataclass(frozen=True)
class Code:
    """A file of Python, which travels to workers as its text.

    Attributes:
      path: Where it was.
      text: What stands in it.
      option: The option that names it.
    """

    path: str
    text: str
    option: str = "--code"

    @classmethod
    def read(cls, uri: str, option: str = "--code") -> "Code":
        """Reads and runs a file, so that what is wrong with it is found at start.

        Raises:
          ConfigError: It can't be read, or fails.
        """
        from transforms.files.filesystem import read_text

        code = cls(uri, read_text(uri, option), option)
        code.functions()
        return code

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Returns the functions that are defined in it, those with a leading underscore left out.

        Raises:
          ConfigError: The file can't be run; the text names the line.
        """
        return _functions(self)

    def check(self, function: str) -> None:
        """Looks whether it has a function.

        Raises:
          ConfigError: It has not; the text names the nearest.
        """
        known = self.functions()
        if function not in known:
            there = f"; there are {', '.join(known)}" if known else ""
            raise ConfigError(
                f"{self.option} {self.path}: has no function {function!r}"
                f"{nearest_column(function, known) or there}"
            )

    def call(self, function: str, batch: pa.RecordBatch) -> tuple[str, object]:
        """Calls a function of it with a batch.

        Returns: What the function is called in errors, and what it returned.

        Raises:
          ConfigError: It failed; the text names the line, and no value.
        """
        what = f"{self.option} {self.path}: {function}()"
        try:
            return what, self.functions()[function](batch)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # Its text may hold a value of a row, and it must not end the worker either.
            line = line_of(error, self.path)
            raise ConfigError(f"{what} failed in line {line}: {type(error).__name__}") from None


@functools.lru_cache(maxsize=16)
def _functions(code: Code) -> dict[str, Callable[..., Any]]:
    module = types.ModuleType("millrace_user_code")
    module.__file__ = code.path
    try:
        exec(compile(code.text, code.path, "exec"), module.__dict__)
    except SyntaxError as error:
        raise ConfigError(f"{code.option} {code.path}: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        where = f"{code.option} {code.path}: line {line_of(error, code.path)}"
        raise ConfigError(f"{where}: {type(error).__name__}: {error}") from None
    return {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, types.FunctionType)
        and found.__module__ == module.__name__
        and not name.startswith("_")
    }


def line_of(error: BaseException, path: str) -> int:
    """Returns the line of a file in which an error came up; 0 where it didn't."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def checked_result(
    result: object, rows: int, what: str, items: str, fits: Callable[[pa.DataType], bool]
) -> pa.Array:
    """Returns what a function returned for a batch, if it is what it must be.

    Args:
      result: An Arrow array, or else it is refused.
      rows: Of the batch.
      what: What the function is called in errors.
      items: What the array is to hold, in words.
      fits: Whether it holds that, by its type.

    Raises:
      ConfigError: It isn't.
    """
    if isinstance(result, pa.ChunkedArray):
        result = result.combine_chunks()
    if not isinstance(result, pa.Array) or not fits(result.type):
        given = result.type if isinstance(result, pa.Array) else type(result).__name__
        raise ConfigError(f"{what} must return an Arrow array of {items}, but returned {given}")
    if len(result) != rows:
        raise ConfigError(f"{what} must return {rows} {items}, one a row, but gave {len(result)}")
    return result
