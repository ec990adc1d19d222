"""A refusal told by a file: some runners take an exception for a fault, and run the job again.

Their second run would read everything once more, to be refused again.
"""

import contextlib
import json
from collections.abc import Iterator

from transforms.errors import MillraceError, Refused
from transforms.files import filesystem


@contextlib.contextmanager
def noting(path: str) -> Iterator[None]:
    """Writes down an error that would come again, instead of raising it.

    Args:
      path: The file to write; "" lets errors pass, where the runner fails at the first one.
    """
    try:
        yield
    except MillraceError as error:
        if not path:
            raise
        note = {"refused": isinstance(error, Refused), "text": str(error)}
        filesystem.write_bytes(path, json.dumps(note).encode())


def raise_noted(path: str) -> None:
    """Raises the error that was written down, and deletes the note.

    Raises:
      Refused: A gate said no, or another file is now where the output was to be.
      MillraceError: The rows don't add up.
    """
    if not path or not filesystem.exists(path):
        return
    note = json.loads(filesystem.read_bytes(path))
    filesystem.delete(path)
    raise (Refused if note["refused"] else MillraceError)(note["text"])
