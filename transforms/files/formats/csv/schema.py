"""Column types of CSV, inferred from the first records of a file."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.files.formats.csv.cells import Cells, read_cells
from transforms.files.formats.text.text import Block

_ZERO_FIRST = r"^\s*0[0-9]"
_LONG_INTEGER = r"^\s*[+-]?[0-9]{16,}\s*$"


def infer_schema(block: Block | None, names: tuple[str, ...], cells: Cells) -> pa.Schema:
    """Returns types for every cell of a sample: int64, float64, bool, date, timestamp or string.

    Records of another number of cells are left out. A column of no values is null. Long integers
    that floats would round, and codes such as 00123, are strings.

    Args:
      block: The sample; None where there are no records.
      names: The file's columns.
      cells: How the file is read.
    """
    data = cells.well_shaped(block) if block else b""
    if not data:
        return pa.schema([(name, pa.null()) for name in names])
    # Where everything is quoted, an empty cell is quoted too, and says nothing of the type.
    delimiter = cells.rules.delimiter
    table = read_cells(data, names, {}, delimiter, cells.nulls, quoted_strings_can_be_null=True)
    types = {name: _kept(table.column(name)) for name in names}
    as_text = {n: pa.string() for n, type in types.items() if _is_number(type)}
    if as_text:
        texts = read_cells(data, names, as_text, delimiter, cells.nulls)
        types |= {
            name: pa.string() for name in as_text if _is_code(texts.column(name), types[name])
        }
    return pa.schema(list(types.items()))


def _kept(column: pa.ChunkedArray) -> pa.DataType:
    """Returns the type that Arrow inferred, if it is ours; fractions of seconds may follow."""
    type, kinds = column.type, pa.types
    if kinds.is_timestamp(type):
        return pa.timestamp("us" if _fits(column, pa.timestamp("us", type.tz)) else "ns", type.tz)
    tests = (kinds.is_null, kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_date)
    return type if any(test(type) for test in tests) else pa.string()


def _fits(column: pa.ChunkedArray, type: pa.DataType) -> bool:
    try:
        column.cast(type)
    except pa.ArrowInvalid:
        return False
    return True


def _is_number(type: pa.DataType) -> bool:
    return bool(pa.types.is_floating(type) or pa.types.is_integer(type))


def _is_code(texts: pa.ChunkedArray, type: pa.DataType) -> bool:
    """Returns whether numbers would lose digits: rounded by a float, or zeros at the front."""
    signs = _LONG_INTEGER if pa.types.is_floating(type) else _ZERO_FIRST
    return bool(pc.any(pc.match_substring_regex(texts, signs)).as_py())
