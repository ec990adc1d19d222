"""From the text of an expression to a tree, by recursive descent.

or:      and ("or" and)*
and:     not ("and" not)*
not:     "not" not | test
test:    sum [("=" | "!=" | "<" | "<=" | ">" | ">=") sum | "is" ["not"] "null"
         | ["not"] ("in" "(" literal, ... ")" | "between" sum "and" sum | "matches" text)]
sum:     product (("+" | "-") product)*
product: sign (("*" | "/") sign)*
sign:    "-" sign | literal | column ("." name)* | name "(" [or, ...] ")" | "(" or ")"

Words are those of `transforms.rules.tokens`; keywords and functions may be in any case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transforms.rules.tokens import ExpressionError, Token, tokens

MAX_DEPTH = 50
"""How deep parentheses, signs and `not` may nest."""

MAX_LEVELS = 150
"""How many operations may stand within each other, those of a long sum included."""

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Node:
    """A part of an expression as it was written.

    Attributes:
      op: "literal", "column", "field", "call", or an operator.
      at: Where it stands: its operator, name or literal.
      args: What it is made of.
      value: Of a literal its value, of a column, a field or a call its name.
    """

    op: str
    at: int
    args: tuple["Node", ...] = ()
    value: Any = None


def parse(text: str) -> Node:
    """Parses an expression.

    Raises:
      ExpressionError: It is none; the error tells the place.
    """
    parser = _Parser(list(tokens(text)))
    tree = parser.either()
    parser.expect("end", "the end")
    _check_depth(tree)
    return tree


def _check_depth(tree: Node) -> None:
    """Sums of many terms are deep too, and what walks the tree does so by recursion."""
    level = [tree]
    for _ in range(MAX_LEVELS):
        level = [arg for node in level for arg in node.args]
        if not level:
            return
    raise ExpressionError(level[0].at, f"more than {MAX_LEVELS} operations within each other")


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self.words, self.next, self.depth = words, 0, 0

    @property
    def word(self) -> Token:
        return self.words[self.next]

    def accept(self, *values: str) -> Token | None:
        """Takes the next word if it is one of these keywords or signs."""
        word = self.word
        if word.kind in ("keyword", "sign") and word.value in values:
            self.next += 1
            return word
        return None

    def expect(self, kind: str, *values: str) -> Token:
        word = self.word
        if word.kind != kind or (values and word.value not in values):
            wanted = " or ".join(values) or f"a {kind}"
            raise ExpressionError(word.at, f"expected {wanted}, found {_shown(word)}")
        self.next += 1
        return word

    def either(self) -> Node:
        return self.joined("or", self.both)

    def both(self) -> Node:
        return self.joined("and", self.negated)

    def joined(self, keyword: str, rule: Callable[[], Node]) -> Node:
        """Joins conditions; many of them make the tree no deeper."""
        parts, at = [rule()], self.word.at
        while self.accept(keyword):
            parts.append(rule())
        return Node(keyword, at, tuple(parts)) if len(parts) > 1 else parts[0]

    def negated(self) -> Node:
        if word := self.accept("not"):
            return Node("not", word.at, (self.deeper(word, self.negated),))
        return self.test()

    def test(self) -> Node:
        left = self.sum()
        if word := self.accept(*COMPARISONS):
            made = Node(word.value, word.at, (left, self.sum()))
            if self.word.value in COMPARISONS and self.word.kind == "sign":
                raise ExpressionError(self.word.at, "comparisons don't chain; join them by and")
            return made
        if word := self.accept("is"):
            negated = self.accept("not")
            self.expect("keyword", "null")
            return _negated(negated, Node("is null", word.at, (left,)))
        negated = self.accept("not")
        word = self.accept("in", "between", "matches")
        if word is None:
            if negated:
                raise ExpressionError(self.word.at, "expected in, between or matches after not")
            return left
        rest = {"in": self.members, "between": self.ends, "matches": self.pattern}[word.value]()
        return _negated(negated, Node(word.value, word.at, (left, *rest)))

    def members(self) -> tuple[Node, ...]:
        self.expect("sign", "(")
        found = [self.literal()]
        while self.accept(","):
            found.append(self.literal())
        self.expect("sign", ")")
        return tuple(found)

    def literal(self) -> Node:
        node = self.signed()
        if node.op != "literal":
            raise ExpressionError(node.at, "in (...) takes numbers, texts, true or false")
        return node

    def ends(self) -> tuple[Node, ...]:
        low = self.sum()
        self.expect("keyword", "and")
        return low, self.sum()

    def pattern(self) -> tuple[Node, ...]:
        word = self.expect("text")
        return (Node("literal", word.at, value=word.value),)

    def sum(self) -> Node:
        left = self.product()
        while word := self.accept("+", "-"):
            left = Node(word.value, word.at, (left, self.product()))
        return left

    def product(self) -> Node:
        left = self.signed()
        while word := self.accept("*", "/"):
            left = Node(word.value, word.at, (left, self.signed()))
        return left

    def signed(self) -> Node:
        if not (word := self.accept("-")):
            return self.primary()
        inner = self.deeper(word, self.signed)
        if inner.op == "literal" and type(inner.value) in (int, float):
            return Node("literal", word.at, value=-inner.value)
        return Node("negate", word.at, (inner,))

    def primary(self) -> Node:
        word = self.word
        if word.kind in ("int", "float", "text"):
            self.next += 1
            return Node("literal", word.at, value=word.value)
        if self.accept("true", "false"):
            return Node("literal", word.at, value=word.value == "true")
        if self.accept("("):
            inner = self.deeper(word, self.either)
            self.expect("sign", ")")
            return inner
        if word.kind != "name":
            raise ExpressionError(word.at, f"expected a value, found {_shown(word)}")
        self.next += 1
        return self.call(word) if self.accept("(") else self.column(word)

    def column(self, name: Token) -> Node:
        node = Node("column", name.at, value=name.value)
        while self.accept("."):
            field = self.name()
            node = Node("field", field.at, (node,), field.value)
        return node

    def name(self) -> Token:
        """Takes the name of a field, which may be a keyword as well."""
        word = self.word
        if word.kind not in ("name", "keyword"):
            raise ExpressionError(word.at, f"expected the name of a field, found {_shown(word)}")
        self.next += 1
        return word

    def call(self, name: Token) -> Node:
        args: list[Node] = []
        if not self.accept(")"):
            args.append(self.deeper(name, self.either))
            while self.accept(","):
                args.append(self.deeper(name, self.either))
            self.expect("sign", ")")
        return Node("call", name.at, tuple(args), name.value.lower())

    def deeper(self, word: Token, rule: Callable[[], Node]) -> Node:
        if self.depth == MAX_DEPTH:
            raise ExpressionError(word.at, f"nested more than {MAX_DEPTH} deep")
        self.depth += 1
        node = rule()
        self.depth -= 1
        return node


def _negated(word: Token | None, node: Node) -> Node:
    return Node("not", word.at, (node,)) if word else node


def _shown(word: Token) -> str:
    return "the end" if word.kind == "end" else repr(word.value)
