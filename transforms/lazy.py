"""Names whose modules are imported when they are first used."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest


class Registry(Mapping[str, str]):
    """A table of names and where each is at home.

    Args:
      what: What the names are called in errors: "format", say.
      homes: By name `module:attribute`.
    """

    def __init__(self, what: str, homes: Mapping[str, str]) -> None:
        self._what, self._homes = what, dict(homes)

    def __getitem__(self, name: str) -> str:
        return self._homes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def check(self, name: str, given: str = "") -> None:
        """Checks that there is such a name.

        Args:
          name: The name.
          given: What the user gave, to begin the error with.

        Raises:
          ConfigError: There is none; the text names the nearest, and all.
        """
        if name not in self._homes:
            start = f"{given}: " if given else ""
            known = ", ".join(key for key in self._homes if key)
            raise ConfigError(
                f"{start}unknown {self._what} {name!r}; known: {known}{nearest(name, self._homes)}"
            )

    def load(self, name: str) -> Any:
        """Imports the module of a name, and returns what bears it.

        Raises:
          ConfigError: There is no such name.
        """
        self.check(name)
        return load(self._homes[name])


def load(home: str) -> Any:
    """Imports the object at `module:attribute`."""
    module, _, attribute = home.partition(":")
    return getattr(importlib.import_module(module), attribute)


def front_door(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns a package's `__getattr__` (PEP 562), which imports a public name at its first use.

    Args:
      package: The package's name.
      homes: By public name its module, relative to the package.
    """

    def attribute(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return load(f"{package}.{homes[name]}:{name}")

    return attribute
