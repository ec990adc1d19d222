"""Report of a redaction: what was found where, what was done about it, and what was left."""

from collections.abc import Sequence
from dataclasses import dataclass

from transforms.reports.charts import bar
from transforms.reports.figures import NOTHING, number, share
from transforms.reports.markup import Markup, breakable, element, joined
from transforms.reports.page import Section, badge, described, note, page, table, tiles

_LEVELS = ("VERY_LIKELY", "LIKELY", "POSSIBLE", "UNLIKELY", "VERY_UNLIKELY", "")
_FORMS = "Of values only their form is shown: 9 stands for a digit, a and A for letters."


@dataclass(frozen=True)
class Found:
    """Findings of one kind in one column.

    Attributes:
      column: The path of the values.
      kind: The infoType; empty for whole cells.
      likelihood: The name of a likelihood; empty where it is not known.
      number: How many.
      done: What became of them.
      left: Whether they stayed what they were.
    """

    column: str
    kind: str
    likelihood: str
    number: int
    done: str
    left: bool = False


@dataclass(frozen=True)
class Facts:
    """What is said of the whole.

    Attributes:
      title: The heading.
      about: Facts about the run, each with its name.
      rows: How many rows were looked at.
      rejected: How many are dead letters, for a value could not be transformed.
      suppressed: How many the policy leaves out.
      passed: The columns that pass as they are, because the policy says so.
      untransformed: How many rows have a value that can't be transformed and was left.
    """

    title: str
    about: tuple[tuple[str, str], ...]
    rows: int
    rejected: int
    suppressed: int = 0
    passed: tuple[str, ...] = ()
    untransformed: int = 0


def redaction_report(
    found: Sequence[Found], forms: dict[tuple[str, str], tuple[str, ...]], facts: Facts
) -> str:
    """Returns a self-contained page.

    Args:
      found: What was found; of one column, kind and likelihood each fate apart.
      forms: The forms of a few findings, by column and kind.
      facts: What is said of the whole.

    Returns: The document. It holds no value of a row; of text, UTF-8.
    """
    done = [each for each in found if not each.left]
    left = [each for each in found if each.left]
    sections = [
        Section("columns", "Columns", _columns(found), len({each.column for each in found})),
        Section("done", "What was done", _done(done, forms), sum(x.number for x in done)),
        Section("left", "What was left", _left(left, forms, facts), sum(x.number for x in left)),
    ]
    head = joined(described(facts.about), _tiles(done, left, facts))
    return page(facts.title, head, sections)


def _tiles(done: Sequence[Found], left: Sequence[Found], facts: Facts) -> Markup:
    remaining = sum(each.number for each in left)
    figures = [
        ("Rows", number(facts.rows), ""),
        ("Values transformed", number(sum(each.number for each in done)), "good"),
        ("Findings left", number(remaining), "warn" if remaining else "good"),
        ("Rows rejected", number(facts.rejected), "bad" if facts.rejected else ""),
    ]
    if facts.suppressed:
        figures.append(("Rows left out by the policy", number(facts.suppressed), ""))
    if facts.untransformed:
        figures.append(("Rows with a value left", number(facts.untransformed), "bad"))
    return tiles(figures)


def _columns(found: Sequence[Found]) -> Markup:
    """Returns a table of columns by likelihood."""
    if not found:
        return note("Nothing was found.")
    sums: dict[tuple[str, str], int] = {}
    for each in found:
        key = each.column, each.likelihood
        sums[key] = sums.get(key, 0) + each.number
    levels = [level for level in _LEVELS if any(key[1] == level for key in sums)]
    columns = sorted({column for column, _ in sums}, key=lambda name: (-_sum(sums, name), name))
    most = max(_sum(sums, name) for name in columns)
    named = [_right(_words(level) or "Not told") for level in levels]
    heads = ["Column", "", *named, _right("All")]
    bodies = [_column(name, [sums.get((name, x), 0) for x in levels], most) for name in columns]
    return element(
        "div", table("Findings by column and likelihood", heads, bodies, "sorts"), class_="scroll"
    )


def _column(name: str, numbers: Sequence[int], most: int) -> Markup:
    cells = [
        element("th", breakable(name) if name else "(text)", scope="row"),
        element("td", bar(sum(numbers) / most, None), class_="chart"),
        *map(_figure, [*numbers, sum(numbers)]),
    ]
    return element("tbody", element("tr", *cells))


def _sum(sums: dict[tuple[str, str], int], name: str) -> int:
    return sum(value for (column, _), value in sums.items() if column == name)


def _done(done: Sequence[Found], forms: dict[tuple[str, str], tuple[str, ...]]) -> Markup:
    if not done:
        return note("Nothing was transformed.")
    return joined(_table("What was done to findings", done, forms), note(_FORMS))


def _left(
    left: Sequence[Found], forms: dict[tuple[str, str], tuple[str, ...]], facts: Facts
) -> Markup:
    parts = []
    if facts.passed:
        names = ", ".join(facts.passed)
        parts.append(note(f"Columns that pass as they are, not looked through: {names}."))
    if left:
        parts += [_table("What was left as it is", left, forms), note(_FORMS)]
    else:
        parts.append(note("Nothing that was found was left as it is."))
    return joined(*parts)


def _table(
    caption: str, found: Sequence[Found], forms: dict[tuple[str, str], tuple[str, ...]]
) -> Markup:
    whole = sum(each.number for each in found)
    heads = ["Column", "Found", "Likelihood", _right("Number"), _right("Share"), "Fate", "Examples"]
    ordered = sorted(found, key=lambda x: (-x.number, x.column, x.kind, x.likelihood, x.done))
    bodies = [_row(each, forms.get((each.column, each.kind), ()), whole) for each in ordered]
    return element("div", table(caption, heads, bodies, "sorts"), class_="scroll")


def _row(each: Found, forms: Sequence[str], whole: int) -> Markup:
    examples = [joined(element("code", form), " ") for form in forms]
    cells = [
        element("th", breakable(each.column) if each.column else "(text)", scope="row"),
        element("td", each.kind or "whole cells"),
        element("td", _words(each.likelihood) or NOTHING),
        _figure(each.number),
        element("td", share(each.number, whole), class_="n", data_v=each.number),
        element("td", badge(each.done, "warn" if each.left else "good")),
        element("td", *examples),
    ]
    return element("tbody", element("tr", *cells))


def _figure(value: int) -> Markup:
    return element("td", number(value), class_="n", data_v=value)


def _right(head: str) -> Markup:
    return element("th", head, scope="col", class_="n")


def _words(level: str) -> str:
    return level.lower().replace("_", " ")
