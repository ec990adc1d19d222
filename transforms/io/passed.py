"""The progress of reading a split, so that a single file moves too while it is read."""

from typing import Any

from transforms.files.format import Split


class Passed:
    """Counts the bytes of a split that have been read, each once.

    A format that knows its number of rows, as Parquet does, counts rows. For others the position
    in the stream counts, or in the compressed stream below it. One thread notes the progress,
    and another asks for it.

    Args:
      split: The split that is read.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self._rows = self._read = self._counted = 0

    def tell(self, stream: Any, rows: int) -> None:
        """Notes how far the reading is.

        Args:
          stream: What the split is read from.
          rows: How many rows more have come.
        """
        split = self._split
        self._rows += rows
        if split.rows:
            read = split.weight * self._rows // split.rows
        else:
            read = max(0, _position(stream) - split.start)
        self._read = max(self._read, min(read, split.weight))

    def more(self) -> int:
        """Returns the bytes that were read since this was asked before."""
        more = self._read - self._counted
        self._counted += more
        return more

    def rest(self) -> int:
        """Returns the bytes of the split that were not counted yet, at its end."""
        self._read = self._split.weight
        return self.more()


def _position(stream: Any) -> int:
    """Returns a stream's position; for a compressed stream, that in its file."""
    beneath = getattr(stream, "fileobj", None) or stream
    try:
        return int(beneath.tell())
    except (AttributeError, OSError, ValueError):
        return 0
