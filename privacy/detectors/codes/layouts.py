"""How a code may be written, as pictures: `999-99-9999` is three groups of digits.

| sign | stands for |
|---|---|
| 9 | a digit |
| A | a letter |
| * | either |
| ~ | each of the code's separators in turn, the same one throughout |
| other | itself |

A number in braces repeats what stands before it: `9{9}`.
"""

import functools
import re
from dataclasses import dataclass

_REPEATED = re.compile(r"(.)\{(\d+)\}")
_GROUP = re.compile(r"[9A*]+")


@dataclass(frozen=True, eq=False)
class Group:
    """One word of a layout; those that are alike are one object.

    Attributes:
      size: How many characters it has.
      letters: A number whose bits say where a letter must stand.
      digits: A number whose bits say where a digit must stand.
    """

    size: int
    letters: int
    digits: int

    @property
    def exact(self) -> bool:
        """Whether it says of each place what stands there."""
        return self.letters | self.digits == (1 << self.size) - 1


@dataclass(frozen=True, eq=False)
class Layout:
    """One way to write a code; those that are alike are one object.

    Attributes:
      groups: Its words.
      joints: The bytes between them, one less than there are words.
    """

    groups: tuple[Group, ...]
    joints: tuple[int, ...]


@functools.cache
def layouts_of(pictures: str, separators: str) -> tuple[Layout, ...]:
    """Returns the layouts of pictures.

    Args:
      pictures: One or more, with a bar between.
      separators: What `~` stands for; it always stands for nothing too where a picture says `?`
        at its end.
    """
    made = []
    for picture in pictures.split("|") if pictures else ():
        full = _REPEATED.sub(lambda found: found[1] * int(found[2]), picture)
        wanted = [*separators, ""] if full.endswith("?") else list(separators)
        full = full.removesuffix("?")
        made += [_layout(full.replace("~", each)) for each in (wanted if "~" in full else [""])]
    return tuple(dict.fromkeys(made))


@functools.cache
def _layout(picture: str) -> Layout:
    groups = [_group(found[0]) for found in _GROUP.finditer(picture)]
    return Layout(tuple(groups), tuple(_GROUP.sub("", picture).encode()))


@functools.cache
def _group(text: str) -> Group:
    letters = sum(1 << place for place, sign in enumerate(text) if sign == "A")
    digits = sum(1 << place for place, sign in enumerate(text) if sign == "9")
    return Group(len(text), letters, digits)
