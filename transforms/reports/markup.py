"""Markup: elements of HTML and SVG. What is not markup is text, and is escaped: no other way in."""

import re
from html import escape

LETTERS = 120
"""Longer texts are cut."""
FIGURE = 11
"""Longer figures may be broken."""
_VOID = {"input", "meta", "wbr"}
_SHAPES = {"path", "rect", "use"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """Returns an element.

    Args:
      tag: Its name.
      children: Markup stays as it is; anything else is text; None is nothing.
      attributes: `class_` and the like lose the underscore at their end, others become hyphens;
        None and False leave the attribute out, True leaves it without a value.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    if tag in _SHAPES and not children:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: object) -> Markup:
    """Returns several elements one after the other; texts among them are escaped."""
    return Markup("".join(_child(child) for child in children))


def shown(text: str, letters: int = LETTERS) -> str:
    """Returns text as people can read it: cut, unprintable signs escaped; not yet safe in HTML."""
    cut = text if len(text) <= letters else text[:letters] + "…"
    return cut if cut.isprintable() else "".join(map(_visible, cut))


def breakable(name: str, letters: int = LETTERS) -> Markup:
    """Returns a long name, cut and shown, that may wrap after `_`, `.`, `-` or `/`."""
    parts = re.split(r"(?<=[_./-])(?=[^_./-])", shown(name, letters))
    return Markup("<wbr>".join(map(_escaped, parts)))


def figure(text: str) -> Markup:
    """Returns a figure, never cut: a long one may wrap after a comma."""
    if len(text) <= FIGURE:
        return joined(text)
    parts = re.split(r"(?<=,)(?=\d)", text)
    return element("span", Markup("<wbr>".join(map(_escaped, parts))), class_="long")


def _child(child: object) -> str:
    if isinstance(child, Markup):
        return child
    return "" if child is None else _escaped(str(child))


def _escaped(text: str) -> str:
    return escape(text if text.isprintable() else "".join(map(_visible, text)))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = name.removesuffix("_").replace("_", "-")
    # SVG distinguishes capitals from small letters.
    name = {"viewbox": "viewBox", "preserve": "preserveAspectRatio"}.get(name, name)
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'
