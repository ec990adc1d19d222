"""stdout: a preview as a table, or rows for the next program in a pipe."""

import shutil
import sys
from collections.abc import Collection, Iterable
from typing import Any

import pyarrow as pa

from transforms.commit.file_place import moves_of
from transforms.commit.ledger import Entry, Target
from transforms.commit.manifest import text_of
from transforms.files import filesystem
from transforms.files.filesystem import open_read

PREVIEW_ROWS = 1000
CELL_WIDTH = 24


class StdoutPlace:
    """What a commit does at stdout: there is nothing to keep, and nothing to lose."""

    def claim(self, target: Target) -> None:
        """Clears what a killed preview left."""
        filesystem.delete(target.staging)

    def check(self, target: Target, reads: Iterable[str], overwrite: bool) -> None:
        """Allows everything."""

    def begin(self, target: Target) -> None:
        """Needs nothing."""

    def put(
        self, target: Target, staged: list[Entry], manifest: dict[str, Any], overwrite: bool
    ) -> None:
        """Prints what was staged."""
        show(target, [path for path, _ in moves_of(target, staged)])
        filesystem.write_bytes(target.manifest, text_of(manifest))

    def settle(self, target: Target) -> None:
        """Deletes the manifest: who asked for it has read it."""
        filesystem.delete(target.manifest)

    def release(self, target: Target) -> None:
        """Holds nothing."""


def show(target: Target, paths: Iterable[str]) -> None:
    """Prints staged files: as a table where they are Arrow, else as they stand."""
    for path in paths:
        with open_read(path) as stream:
            if target.format == "arrow":
                rows = pa.ipc.open_file(stream).read_all()
                print(table_text(rows, in_sight=target.in_sight), flush=True)
            else:
                sys.stdout.flush()
                shutil.copyfileobj(stream, sys.stdout.buffer)
                sys.stdout.buffer.flush()


def table_text(table: pa.Table, width: int | None = None, in_sight: Collection[str] = ()) -> str:
    """Draws rows as a table that fits the terminal; what does not fit is said below it.

    Columns stay in their order. Of a model's rows its outputs are in sight: input columns give way
    to them, from the right.

    Args:
      table: At most some hundred rows are of use to a reader; 1,000 are drawn.
      width: Characters of a line; None asks the terminal.
      in_sight: Names of columns that are shown before all others, the first before the next.
    """
    width = width or shutil.get_terminal_size((160, 24)).columns
    shown = table.slice(0, PREVIEW_ROWS)
    columns = [[name, *map(_cell, shown.column(name).to_pylist())] for name in table.column_names]
    widths = [min(CELL_WIDTH, max(map(len, column))) for column in columns]
    wanted = [i for i, name in enumerate(table.column_names) if name in in_sight]
    fitting = _fitting(widths, width, wanted)
    numeric = [pa.types.is_floating(f.type) or pa.types.is_integer(f.type) for f in table.schema]
    lines = []
    for row in range(shown.num_rows + 1):
        cells = [_padded(columns[i][row], widths[i], numeric[i]) for i in fitting]
        lines.append("  ".join(cells).rstrip())
        if row == 0:
            lines.append("  ".join("-" * widths[i] for i in fitting))
    hidden = [name for i, name in enumerate(table.column_names) if i not in fitting]
    if hidden:
        lines.append(f"({len(hidden)} more columns: {', '.join(hidden)})")
    if shown.num_rows < table.num_rows:
        lines.append(f"({table.num_rows - shown.num_rows:,} more rows)")
    return "\n".join(lines)


def _fitting(widths: list[int], total: int, wanted: list[int]) -> list[int]:
    """Returns the columns that fit a line: the wanted ones, then the others from the left."""
    order = [*wanted, *(index for index in range(len(widths)) if index not in wanted)]
    kept: list[int] = []
    used = 0
    for index in order:
        if kept and used + widths[index] + 2 > total:
            break
        kept.append(index)
        used += widths[index] + 2
    return sorted(kept)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = _text(value)
    text = "".join(c if c.isprintable() else "�" for c in text.replace("\n", "⏎"))
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return str(value)


def _padded(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
