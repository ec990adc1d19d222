"""HCL, the language of Terraform, written as `terraform fmt` would."""

import json
from collections.abc import Mapping, Sequence


def text(value: str) -> str:
    """Returns a text as a literal; nothing in it is taken for an expression."""
    plain = json.dumps(value, ensure_ascii=False)
    return plain.replace("${", "$${").replace("%{", "%%{")


def texts(values: Sequence[str]) -> str:
    """Returns a list of texts as a literal."""
    return f"[{', '.join(map(text, values))}]"


def attributes(values: Mapping[str, str], depth: int = 1) -> list[str]:
    """Returns lines of attributes, their equals signs below each other.

    Args:
      values: Expressions by name.
      depth: How many blocks they stand in.
    """
    width = max(map(len, values), default=0)
    return [f"{'  ' * depth}{name:{width}} = {value}" for name, value in values.items()]


def block(head: str, lines: Sequence[str], depth: int = 0) -> list[str]:
    """Returns the lines of a block.

    Args:
      head: What stands before its brace.
      lines: What stands in it, indented.
      depth: How many blocks it stands in.
    """
    return [f"{'  ' * depth}{head} {{", *lines, f"{'  ' * depth}}}"]


def document(*parts: Sequence[str]) -> str:
    """Returns a file of several blocks, with empty lines between."""
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
