"""As much of SQL as the tests and a try on one's own machine need: one table, columns, a filter."""

import operator
import re

import pyarrow as pa
import pyarrow.compute as pc

from tests.integration.bigquery.store import Refusal

TESTS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_QUERY = re.compile(
    r"(?is)\s*SELECT\s+(?P<what>\*|[\w\s,`]+?)\s+FROM\s+`?(?P<table>[\w.$-]+)`?"
    r"(?:\s+WHERE\s+(?P<where>.+?))?\s*;?\s*"
)


def restriction(text, rows):
    """The mask of `column op literal [AND ...]`."""
    mask = True
    for clause in re.split(r"\s+AND\s+", text):
        found = re.fullmatch(r"(\w+)\s*(<=|>=|!=|=|<|>)\s*('[^']*'|[\d.]+)", clause.strip())
        if not found or found[1] not in rows.column_names:
            raise Refusal(400, "invalid", f"Row filter can't be parsed: {clause}")
        literal = found[3].strip("'") if found[3].startswith("'") else float(found[3])
        type = rows.schema.field(found[1]).type
        if isinstance(literal, float) and pa.types.is_integer(type):
            literal = int(literal)
        mask = (TESTS[found[2]](pc.field(found[1]), pa.scalar(literal, type))) & mask
    return mask


def selected(tables, text):
    """The fields and rows of a query; None where it is more than this knows."""
    found = _QUERY.fullmatch(text)
    if not found or found["table"] not in tables:
        return None
    table = tables[found["table"]]
    rows = table.rows
    names = [name.strip(" `\n") for name in found["what"].split(",")]
    names = rows.column_names if names == ["*"] else names
    if set(names) - set(rows.column_names):
        return None
    if found["where"]:
        rows = rows.filter(restriction(found["where"], rows))
    return [f for name in names for f in table.fields if f["name"] == name], rows.select(names)
