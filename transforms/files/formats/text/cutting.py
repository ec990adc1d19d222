"""Cuts text where records end: into blocks to parse, and into ranges to read apart."""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np

from transforms.files.format import File, Split
from transforms.files.formats.text.text import BOM, Block, Rules, Sizes


def blocks(
    parts: Iterator[bytes], rules: Rules, sizes: Sizes, line: int, guess: bool = False
) -> Generator[Block, bytes | None, None]:
    """Joins pieces of a text to blocks of whole records.

    A block grows until a record ends in it, but no longer than the longest record.

    Looking for the quotes of a text costs a sixth of parsing it. The parser finds out for less
    whether a block ends where a record does: it may let blocks be guessed, and send back the end
    of one that was cut in a record. From then on nothing is guessed.

    Args:
      parts: The text from the start of a record, in pieces no longer than the longest record.
      rules: Where records end.
      sizes: How long a record may be.
      line: The number of its first line.
      guess: Whether to cut at any line break.

    Yields: Blocks in order; the last may lack a line break at its end.
    """
    held, before = b"", b""  # the record in work, and what stands for it to what comes next
    head: Block | None = None  # all that is held of a record that is too long
    for part in parts:
        if head is None and len(held) + len(part) > sizes.record:
            end = _first_end(part, before, rules) or len(part)
            if len(held) + end > sizes.record:
                head = Block((held + part)[: sizes.head], line, oversized=True)
                line, held = line + rules.lines(held), b""
        if head is not None:
            end = _first_end(part, before, rules)
            line += rules.lines(part[:end] if end else part)
            if not end:
                before = rules.context(part, before)
                continue
            yield replace(head, lines=line - head.line)
            head, part, before = None, part[end:], b""
        end = rules.last_line_end(part) if guess else rules.last_end(part, before)
        if end:
            data, held = b"".join((held, memoryview(part)[:end])), part[end:]
            lines = rules.lines(data)
            rest = yield Block(data, line, lines, guessed=guess)
            line += lines
            if rest:
                line, held, guess = line - rules.lines(rest), rest + held, False
            before = rules.context(held)
        else:
            held, before = held + part, rules.context(part, before)
    unclosed = before.count(b'"') % 2 == 1
    if head is not None:
        yield replace(head, lines=line - head.line, unclosed=unclosed)
    elif held:
        yield Block(held, line, rules.lines(held), complete=False, unclosed=unclosed)


def _first_end(part: bytes, before: bytes, rules: Rules) -> int:
    ends = rules.ends(part, before)
    return int(ends[0]) if len(ends) else 0


def byte_ranges(
    parts: Iterator[bytes], file: File, target_bytes: int, rules: Rules
) -> Iterator[Split]:
    """Cuts a file into ranges of whole records, in one pass over all its bytes.

    Args:
      parts: The whole file.
      file: The same.
      target_bytes: A range ends with the first record that reaches this size.
      rules: Where records end.

    Yields: Splits that cover the file, each with the number of its first line.
    """
    start, first = 0, 1  # of the range in work
    offset, line, before = 0, 1, b""  # what was read so far, and what stands for it
    for part in parts:
        if offset == 0 and part.startswith(BOM):
            offset, part = len(BOM), part[len(BOM) :]
        counted = 0
        if start + target_bytes <= offset + len(part):
            ends = rules.ends(part, before) + offset
            while len(ends) and ends[-1] >= start + target_bytes:
                end = int(ends[np.searchsorted(ends, start + target_bytes)])
                line += rules.lines(part[counted : end - offset])
                counted = end - offset
                yield Split(file, start, end, first, end - start)
                start, first = end, line
        line += rules.lines(part[counted:] if counted else part)
        before = rules.context(part, before)
        offset += len(part)
    if start < offset:
        yield Split(file, start, offset, first, offset - start)
