"""A table of texts, as wide as it has to be."""

from collections.abc import Sequence

WIDEST = 40
"""A longer text of a cell is cut."""


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table: its heads, then its rows, columns under each other.

    Args:
      heads: The names of the columns.
      rows: Of each the texts of its cells.
    """
    cut = [[_shortened(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    lines = ("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) for row in cut)
    return "\n".join(line.rstrip() for line in lines)


def _shortened(cell: str) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in cell)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
