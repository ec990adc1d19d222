"""Names settings as their user gives them: options of a command line, or arguments in Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_on_command_line: ContextVar[bool] = ContextVar("on_command_line", default=False)


@contextmanager
def command_line() -> Iterator[None]:
    """Lets messages name options, such as `--map`, while a job looks at its configuration."""
    token = _on_command_line.set(True)
    try:
        yield
    finally:
        _on_command_line.reset(token)


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
    """Returns how the type of a column of text is declared."""
    if _on_command_line.get():
        return "with --schema"
    return f"with Read(..., types={{{column!r}: ...}})"
