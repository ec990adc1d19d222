"""Where records end in text whose quoted cells may hold line breaks, as pyarrow.csv sees it."""

import functools
import re
from dataclasses import dataclass

import numpy as np

from transforms.files.formats.text.text import count_byte

_QUOTE, _LF, _CR = ord('"'), ord("\n"), ord("\r")
_PLAIN = b"x"  # the context inside a cell without quotes


@dataclass(frozen=True)
class QuotedRecords:
    r"""Records that end at a line break outside quotes.

    To pyarrow.csv a quote opens a cell only as its first character; inside, two quotes are one
    of text; after the closing quote, and in a cell that began without, quotes are plain text. A
    line ends at "\n", "\r\n" or a "\r" alone. A text that a method is given begins where a record
    does, or else `before` is the context of what came before it; it must not part "\r\n".

    Attributes:
      delimiter: What parts cells, one character.
    """

    delimiter: str = ","

    def quotes(self, data: bytes, before: bytes = b"") -> np.ndarray:
        """Positions of the quotes that open and close cells, in turn, and of doubled quotes.

        A position is inside a quoted cell when the number of them before it, in the context too,
        is odd. Where every quote that would open by that count does follow a delimiter, a line
        break or a quote (which it doubles), counting all quotes is exact; else the text
        has to be walked cell by cell.
        """
        codes = np.frombuffer(data, np.uint8)
        found = np.flatnonzero(codes == _QUOTE)
        openers = found[before.count(b'"') % 2 :: 2]
        expected = _openings(self.delimiter)[codes[openers - 1]]
        if len(openers) and openers[0] == 0:
            expected[0] = before != _PLAIN
        return found if expected.all() else self._walked(data, before)

    def _walked(self, data: bytes, before: bytes) -> np.ndarray:
        """Positions of the quotes that open and close cells, among others that are text."""
        positions = []
        for cell in _quoted_cell(self.delimiter).finditer(before + data):
            positions.append(cell.start())
            if cell.end(1) > 0:
                positions.append(cell.start(1))
        found = np.array(positions, np.int64) - len(before)
        here = found[found >= 0]
        if (len(found) - len(here) - before.count(b'"')) % 2:
            return np.insert(here, 0, 0)  # the context's last quote is doubled by the first here
        return here

    def line_ends(self, data: bytes) -> np.ndarray:
        """Positions one past each line break, whether inside quotes or not."""
        codes = np.frombuffer(data, np.uint8)
        feeds = np.flatnonzero(codes == _LF) + 1
        if b"\r" not in data:
            return feeds
        returns = np.flatnonzero(codes == _CR) + 1
        inner = returns[returns < len(codes)]
        alone = np.concatenate([inner[codes[inner] != _LF], returns[len(inner) :]])
        return np.sort(np.concatenate([feeds, alone]))

    def ends(self, data: bytes, before: bytes = b"") -> np.ndarray:
        """Positions one past the end of each record that ends in this text."""
        ends, opened = self.line_ends(data), before.count(b'"')
        if not opened and b'"' not in data:
            return ends
        counts = opened + np.searchsorted(self.quotes(data, before), ends)
        outside: np.ndarray = ends[counts % 2 == 0]
        return outside

    def last_end(self, data: bytes, before: bytes = b"") -> int:
        """Returns the position one past the end of the last record that ends here, else 0."""
        opened, stop = before.count(b'"'), len(data)
        if not opened and b'"' not in data:
            return self.last_line_end(data)
        quotes = self.quotes(data, before)
        while end := _line_end_before(data, stop):
            count = int(np.searchsorted(quotes, end))
            if (opened + count) % 2 == 0:
                return end
            stop = int(quotes[count - 1]) if count else 0
        return 0

    def last_line_end(self, data: bytes) -> int:
        """Returns the position one past the last line break, in quotes or not, else 0."""
        return _line_end_before(data, len(data))

    def ends_in_record(self, data: bytes, rows: int, lines: int) -> bool:
        """Returns whether a text may end inside a quoted cell, without reading all of it.

        Args:
          data: Lines; the first one begins a record.
          rows: How many records pyarrow.csv made of them.
          lines: How many line breaks they hold.

        Returns: False where every line surely is a record: then the last, which may have been cut,
          is looked at alone.
        """
        if rows != lines:
            return True
        stop = len(data) - (2 if data.endswith(b"\r\n") else 1)
        last = data[_line_end_before(data, stop) : stop]
        return len(self.quotes(last)) % 2 == 1

    def lines(self, data: bytes) -> int:
        """Returns the number of line breaks."""
        feeds = count_byte(data, _LF)
        if b"\r" not in data:
            return feeds
        return feeds + count_byte(data, _CR) - data.count(b"\r\n")

    def context(self, data: bytes, before: bytes = b"") -> bytes:
        """Returns at most two bytes that replace this text and its context for the next text."""
        if not data:
            return before
        if b'"' in data or before.startswith(b'"'):
            quotes = self.quotes(data, before)
            if (before.count(b'"') + len(quotes)) % 2:
                return b'"'
            if len(quotes) and quotes[-1] == len(data) - 1:
                return b'""'
        return b"" if data[-1:] in (b"\n", b"\r", self.delimiter.encode()) else _PLAIN


def _line_end_before(data: bytes, stop: int) -> int:
    return max(data.rfind(b"\n", 0, stop), data.rfind(b"\r", 0, stop)) + 1


@functools.cache
def _openings(delimiter: str) -> np.ndarray:
    """Returns for each byte if a quote after it, outside quotes, opens a cell or is a double."""
    table = np.zeros(256, bool)
    table[[ord(delimiter), _LF, _CR, _QUOTE]] = True
    return table


@functools.cache
def _quoted_cell(delimiter: str) -> re.Pattern[bytes]:
    """Returns a pattern of a quoted cell, its group the closing quote. It takes linear time."""
    before = re.escape(delimiter.encode())
    return re.compile(rb'"(?<![^\r\n' + before + rb']")(?:[^"]++|"")*+(")?+')
