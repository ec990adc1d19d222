"""The kinds of models; the URI says which."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.errors import ConfigError
from transforms.files.local_copy import local_path
from transforms.lazy import load


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes:
      name: What it is called.
      suffix: The end of its URI; empty for the kind that all other URIs are of.
      module: The handler, which imports its framework only when called.
      holds: A file that is in its directory; empty if the model is a single file.
      index: The file in it that holds the sizes of its variables; empty if there is none.
      describing: The files that its signature is read from; all if empty.
    """

    name: str
    suffix: str
    module: str
    holds: str = ""
    index: str = ""
    describing: tuple[str, ...] = ()


KINDS = (
    Kind("keras", ".keras", "inference.handlers.keras"),
    Kind(
        "saved_model",
        "",
        "inference.handlers.saved_model",
        holds="saved_model.pb",
        index="variables/variables.index",
        describing=("saved_model.pb", "variables/variables.index", "assets.extra/schema.pbtxt"),
    ),
)
"""Kinds of models; the first whose suffix a URI has is its kind."""


def kind_of(uri: str) -> Kind:
    """Returns the kind of the model at a URI."""
    return next(kind for kind in KINDS if uri.endswith(kind.suffix))


def handler(kind: Kind, part: str) -> Any:
    """Imports a kind's function "describe" or "load"; see `inference.handlers`."""
    return load(f"{kind.module}:{part}")


def existing(uri: str, kind: Kind) -> Path:
    """Returns the path of a model on this machine, with at least the files that describe it.

    Raises:
      ConfigError: There is no model of this kind.
    """
    path = local_path(uri, kind.describing)
    if kind.holds and path.is_dir() and not (path / kind.holds).exists():
        versions = sorted((found.parent.name for found in path.glob(f"*/{kind.holds}")), key=_order)
        hint = f"; did you mean {uri}/{versions[-1]}?" if versions else ""
        raise ConfigError(f"--model: {uri} holds no {kind.holds}, so it is no SavedModel{hint}")
    if not path.exists() or (kind.holds and not path.is_dir()):
        known = "a SavedModel directory or a .keras file"
        found = "is no model" if path.exists() else "does not exist"
        raise ConfigError(f"--model: {uri} {found}; give {known}, local or gs://")
    return path


def _order(version: str) -> tuple[float, str]:
    return (int(version) if version.isdigit() else -math.inf, version)
