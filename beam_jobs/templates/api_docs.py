"""docs/api.md: the public face of each package, made of its docstrings."""

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

PACKAGES = ("transforms", "transforms.schema", "inference", "privacy", "beam_jobs")
_HEAD = """\
# API

What is public, by package, as the docstrings have it. `python -m beam_jobs.metadata` makes this
page.
"""


def api_docs() -> str:
    """Returns the page: for each public name how it is called, and its docstring."""
    parts = [_HEAD]
    for name in PACKAGES:
        package = importlib.import_module(name)
        parts.append(f"## `{name}`\n\n{inspect.getdoc(package)}\n")
        parts += _entries(package)
    return "\n".join(parts)


def _entries(package: ModuleType) -> Iterator[str]:
    for name in public_names(package):
        found = getattr(package, name)
        doc = _doc(found)
        text = f"```text\n{doc}\n```\n" if doc else ""
        yield f"### `{name}{_signature(found)}`\n\n{text}"


def public_names(package: ModuleType) -> list[str]:
    """Returns what a package offers, in the order in which it names it."""
    homes = getattr(package, "_HOMES", None)
    if homes is not None:
        return list(homes)
    return [
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and callable(value)
    ]


def _signature(found: Any) -> str:
    if not callable(found) or not (inspect.isclass(found) or inspect.isfunction(found)):
        return ""
    try:
        parameters = inspect.signature(found).parameters.values()
    except ValueError:
        return ""
    names = [
        f"{'*' * (p.kind - 1) if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) else ''}{p.name}"
        + ("" if p.default is p.empty else f"={_default(p.default)}")
        for p in parameters
        if p.name != "self"
    ]
    return f"({', '.join(names)})"


def _default(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 and " at 0x" not in text else "..."


def _doc(found: Any) -> str:
    doc = inspect.getdoc(found) if inspect.isclass(found) or inspect.isroutine(found) else ""
    return doc or ""
