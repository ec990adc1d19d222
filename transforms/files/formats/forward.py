"""Reading a stream forward, so that what stands before a break is not lost."""

import gzip
import zlib
from typing import BinaryIO

from transforms.files.format import BrokenFile
from transforms.reasons import Reason

READ_BYTES, MOST_BYTES = 1 << 20, 16 << 20


def fill(stream: BinaryIO, start: bytes, size: int) -> bytes:
    """Reads on until there are `size` bytes.

    Args:
      stream: A binary file, which need not be seekable.
      start: Bytes read before.
      size: How many are needed.

    Returns: `start` and what follows it: more than `size` bytes as it comes, fewer only where the
      file ends or its compressed data breaks off.

    Raises:
      BrokenFile: The compressed data breaks off here, and all before was returned.
    """
    # read1 gives what it has; read would gather several pieces and lose them at the break.
    read = getattr(stream, "read1", stream.read)
    parts, have = [start], len(start)
    while have < size:
        try:
            # What a corrupt file says it needs may be more than there is memory.
            more = read(min(max(READ_BYTES, size - have), MOST_BYTES))
        except (EOFError, gzip.BadGzipFile, zlib.error):
            if have:
                break
            why = "the compressed data breaks off or is corrupt"
            raise BrokenFile(Reason.TRUNCATED_FILE, why) from None
        if not more:
            break
        parts.append(more)
        have += len(more)
    return b"".join(parts)
