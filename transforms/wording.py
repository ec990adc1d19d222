"""Names settings as their user gives them: options of a command line, or arguments in Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_on_command_line: ContextVar[bool] = ContextVar("on_command_line", default=False)
_of_rows_in_memory: ContextVar[bool] = ContextVar("of_rows_in_memory", default=False)


@contextmanager
def command_line() -> Iterator[None]:
    """Lets messages name options, such as `--map`, while a job looks at its configuration."""
    token = _on_command_line.set(True)
    try:
        yield
    finally:
        _on_command_line.reset(token)


@contextmanager
def rows_in_memory() -> Iterator[None]:
    """Lets messages speak of rows in memory, which no reader can give other types."""
    token = _of_rows_in_memory.set(True)
    try:
        yield
    finally:
        _of_rows_in_memory.reset(token)


def setting(name: str) -> str:
    """Returns how a setting is named: `--keep_columns`, or `keep_columns=`."""
    return f"--{name}" if _on_command_line.get() else f"{name}="


def switched_on(name: str) -> str:
    """Returns how a switch is given: `--trust_model`, or `trust_model=True`."""
    return f"--{name}" if _on_command_line.get() else f"{name}=True"


def mapped(name: str, columns: Sequence[str] = ()) -> str:
    """Returns how an input is mapped: `--map x=a,b`, or `mapping={"x": "a,b"}`."""
    listed = ",".join(columns)
    return (
        f"--map {name}={listed}" if _on_command_line.get() else f'mapping={{"{name}": "{listed}"}}'
    )


def typed(column: str) -> str:
    """Returns how a column of text gets a type."""
    if _on_command_line.get():
        return "declare its type with --schema"
    if _of_rows_in_memory.get():
        return f'make it numbers, as pandas.to_numeric(rows[{column!r}], errors="coerce") does'
    return f"declare its type with Read(..., types={{{column!r}: ...}})"
