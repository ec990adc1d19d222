"""Files of rules: YAML, whose errors name line and column.

rules:
  - row: fare >= 0 and trip_miles < 500
    name: sane_trip                          # what violations say; else the rule's text
  - column: mean(fare) between 5 and 50
  - unique: [taxi_id, trip_start_timestamp]
    severity: warning                        # told, but no row is rejected; else error
  - python: fare_fits_the_meter              # a function of the file that --code names

What an expression may be made of: `transforms.rules.parse` and `transforms.rules.typed`.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.errors import ConfigError
from transforms.nearest import nearest, nearest_column
from transforms.rules.column_rules import ColumnRule
from transforms.rules.kinds import Kind, Kinds, kind_of
from transforms.rules.python_rules import PythonRule
from transforms.rules.row_rules import RowRule
from transforms.rules.tokens import ExpressionError
from transforms.user_code import Code
from transforms.yaml_text import YamlText


@dataclass(frozen=True)
class UniqueRule:
    """Of all rows, no two may have the same key.

    Attributes:
      name: Its name, or its columns.
      columns: The columns that make the key.
    """

    name: str
    columns: tuple[str, ...]


_Rule: TypeAlias = RowRule | PythonRule | ColumnRule | UniqueRule


@dataclass(frozen=True)
class Rules:
    """Custom rules, checked.

    Attributes:
      row: Rules about single rows.
      column: Rules about whole columns.
      unique: Rules about keys.
      warnings: The names of those that only warn: they reject no row.
    """

    row: tuple[RowRule | PythonRule, ...] = ()
    column: tuple[ColumnRule, ...] = ()
    unique: tuple[UniqueRule, ...] = ()
    warnings: frozenset[str] = frozenset()

    @functools.cached_property
    def rejecting(self) -> "Rules":
        """Returns the rules that reject single rows: about rows and keys, without warnings."""
        return Rules(
            row=tuple(rule for rule in self.row if rule.name not in self.warnings),
            unique=tuple(rule for rule in self.unique if rule.name not in self.warnings),
        )

    @functools.cached_property
    def judging(self) -> "Rules":
        """Returns the other rules, which judge all rows."""
        return Rules(
            tuple(rule for rule in self.row if rule.name in self.warnings),
            self.column,
            tuple(rule for rule in self.unique if rule.name in self.warnings),
            self.warnings,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(rule.name for rule in (*self.row, *self.column, *self.unique))


NO_RULES = Rules()


def read_rules(uri: str, columns: Mapping[str, Kinds], code: Code | None = None) -> Rules:
    """Reads a file of rules, and checks them.

    Args:
      uri: A YAML file.
      columns: The columns and their kinds; `Checks.kinds`, or `kinds_of_columns`.
      code: The file of Python rules.

    Raises:
      ConfigError: The file isn't there, or a rule is wrong; the text names line and column.
    """
    from transforms.files.filesystem import read_text

    return parse_rules(read_text(uri, "--rules"), columns, code, uri)


def parse_rules(
    text: str, columns: Mapping[str, Kinds], code: Code | None = None, where: str = "rules"
) -> Rules:
    """Parses rules, and checks them.

    Args:
      text: YAML: a list of rules, or a mapping with the one key `rules`.
      columns: The columns and their kinds.
      code: The file of Python rules.
      where: The name of the text in errors.

    Raises:
      ConfigError: A rule is wrong; the text names line and column.
    """
    reader = _Reader(text, columns, code, where)
    pairs = []
    names: set[str] = set()
    for node in reader.entries():
        pairs.append(reader.rule(node))
        name = pairs[-1][0].name
        if name in names:
            raise reader.error(node.start_mark, f"two rules are called {name!r}")
        names.add(name)
    made = [rule for rule, _ in pairs]
    return Rules(
        tuple(rule for rule in made if isinstance(rule, RowRule | PythonRule)),
        tuple(rule for rule in made if isinstance(rule, ColumnRule)),
        tuple(rule for rule in made if isinstance(rule, UniqueRule)),
        frozenset(rule.name for rule, severity in pairs if severity == "warning"),
    )


_KINDS = ("row", "column", "unique", "python")
_SEVERITIES = ("error", "warning")


class _Reader(YamlText):
    def __init__(
        self, text: str, columns: Mapping[str, Kinds], code: Code | None, where: str
    ) -> None:
        super().__init__(text, where)
        self.columns, self.code = columns, code

    def entries(self) -> list[Any]:
        """Returns the YAML nodes of the rules."""
        root = self.root()
        if root is None:
            return []
        if root.id == "mapping":
            fields = self.fields(root, ("rules",), "the file", "`row: ...`")
            root = fields.get("rules", root)
        if root.id != "sequence":
            raise self.error(root.start_mark, "expected a list of rules")
        return list(root.value)

    def rule(self, node: Any) -> tuple[_Rule, str]:
        """Returns a rule, and its severity."""
        fields = self.fields(node, (*_KINDS, "name", "severity"), "a rule", "`row: ...`")
        kinds = [kind for kind in _KINDS if kind in fields]
        if len(kinds) != 1:
            raise self.error(node.start_mark, f"a rule has one of {', '.join(_KINDS)}")
        name = self.scalar(fields["name"]) if "name" in fields else None
        severity = self.severity(fields["severity"]) if "severity" in fields else "error"
        return self.made(kinds[0], fields[kinds[0]], name), severity

    def severity(self, node: Any) -> str:
        word = self.scalar(node).lower()
        if word not in _SEVERITIES:
            near = nearest(word, _SEVERITIES) or f", but {' or '.join(_SEVERITIES)}"
            raise self.error(node.start_mark, f"{word!r} is no severity{near}")
        return word

    def made(self, kind: str, value: Any, name: str | None) -> _Rule:
        if kind == "unique":
            return self.unique(value, name)
        if kind == "python":
            return self.python(value, name)
        return self.expression(value, RowRule.of if kind == "row" else ColumnRule.of, name)

    def expression(
        self, node: Any, make: Callable[..., RowRule | ColumnRule], name: str | None
    ) -> RowRule | ColumnRule:
        text = self.scalar(node)
        try:
            return make(text, self.columns, name)
        except ExpressionError as error:
            raise self.at(_place(self.text, node, error.at), error.message) from None

    def unique(self, node: Any, name: str | None) -> UniqueRule:
        nodes = node.value if node.id == "sequence" else [node]
        columns = [self.scalar(each) for each in nodes]
        if not columns:
            raise self.error(node.start_mark, "unique: names a column or several")
        for column, each in zip(columns, nodes, strict=True):
            if column not in self.columns:
                near = nearest_column(column, self.columns)
                raise self.error(each.start_mark, f"there is no column {column!r}{near}")
            kind = kind_of(self.columns[column])
            if kind in (Kind.LIST, Kind.STRUCT):
                raise self.error(each.start_mark, f"column {column!r} is a {kind}, which is no key")
        return UniqueRule(name or f"unique({', '.join(columns)})", tuple(columns))

    def python(self, node: Any, name: str | None) -> PythonRule:
        if name is not None:
            raise self.error(node.start_mark, "a Python rule is called as its function is")
        if self.code is None:
            raise self.error(node.start_mark, "a Python rule needs --code, the file it is in")
        try:
            return PythonRule(self.scalar(node), self.code)
        except ConfigError as error:
            raise self.error(node.start_mark, str(error)) from None


def _place(text: str, node: Any, offset: int) -> int:
    """Returns the place of a character of a YAML text in the file.

    Folding and quoting change white space and add quotes, but keep the other characters in their
    order, so that they are counted off one by one.
    """
    at = node.start_mark.index
    if node.style in ("|", ">"):
        at = text.index("\n", at)
    for char in node.value[:offset]:
        if not char.isspace():
            found = text.find(char, at, node.end_mark.index)
            if found < 0:
                # It is written as an escape: the rule's place must do.
                return int(node.start_mark.index)
            at = found + 1
    while at < node.end_mark.index and (text[at].isspace() or (not offset and text[at] in "'\"")):
        at += 1
    return int(at)
