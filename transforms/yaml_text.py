"""YAML whose mistakes are reported with line and column, which PyYAML's nodes know."""

from typing import Any

from transforms.errors import ConfigError
from transforms.nearest import nearest_column


class YamlText:
    """A YAML text that is read node by node.

    Args:
      text: It.
      where: Its name in errors: a file, or what the text is.
    """

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where

    def root(self) -> Any:
        """Returns the root node; None of a text without any.

        Raises:
          ConfigError: It is not YAML.
        """
        import yaml

        try:
            return yaml.compose(self.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise self.error(error.problem_mark, f"not YAML: {error.problem}") from None
        except RecursionError:
            raise ConfigError(f"{self.where}: nested too deeply") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.where}: not YAML: {error}") from None

    def pairs(self, node: Any, what: str, hint: str) -> list[tuple[str, Any, Any]]:
        """Returns the keys of a mapping, their nodes and their values' nodes; each key is once.

        Args:
          node: A node.
          what: What it is, in errors.
          hint: What it would look like.
        """
        if node.id != "mapping":
            raise self.error(node.start_mark, f"expected {what} as {hint} or the like")
        found: dict[str, Any] = {}
        made = []
        for key, value in node.value:
            if key.id != "scalar":
                raise self.error(key.start_mark, f"{what} has fields with plain names")
            if key.value in found:
                raise self.error(key.start_mark, f"{key.value!r} is there twice")
            found[key.value] = value
            made.append((str(key.value), key, value))
        return made

    def fields(
        self, node: Any, known: tuple[str, ...], what: str, hint: str = "`name: ...`"
    ) -> dict[str, Any]:
        """Returns the fields of a mapping. All must be known, and no two the same."""
        found = {}
        for name, key, value in self.pairs(node, what, hint):
            if name not in known:
                near = nearest_column(name, known) or f"; it has {', '.join(known)}"
                raise self.error(key.start_mark, f"{what} has no field {name!r}{near}")
            found[name] = value
        return found

    def scalar(self, node: Any) -> str:
        """Returns the text of a scalar, which must not be empty."""
        if node.id != "scalar" or not node.value.strip():
            raise self.error(node.start_mark, "expected a text")
        if any("\ud800" <= sign <= "\udfff" for sign in node.value):
            raise self.error(node.start_mark, "this text has half of a surrogate pair")
        return str(node.value)

    def value(self, node: Any) -> Any:
        """Returns what a node stands for: a number, a text, a list."""
        import yaml

        try:
            return yaml.SafeLoader("").construct_object(node, deep=True)
        except yaml.YAMLError as error:
            raise self.error(node.start_mark, f"not YAML: {error}") from None

    def error(self, mark: Any, message: str) -> ConfigError:
        """Returns an error at a mark of PyYAML."""
        return self.at(mark.index if mark else 0, message)

    def at(self, index: int, message: str) -> ConfigError:
        """Returns an error at a character."""
        line, column = self.place(index)
        return ConfigError(f"{self.where}: line {line}, column {column}: {message}")

    def place(self, index: int) -> tuple[int, int]:
        """Returns the line and column of a character, from 1."""
        line = self.text.count("\n", 0, index) + 1
        return line, index - (self.text.rfind("\n", 0, index) + 1) + 1
