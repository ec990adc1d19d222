"""JSON text of Arrow columns, written column by column: no Python runs per row."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.base64_text import encode_base64
from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list, plain_type
from transforms.arrow.views import without_views

_SHORT = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r"}
_ESCAPES = {
    ord("\\"): "\\\\",
    ord('"'): '\\"',
    **{code: _SHORT.get(code, f"\\u{code:04x}") for code in range(0x20)},
}
_WIDTHS = {"s": 19, "ms": 23, "us": 26, "ns": 29}


def json_rows(batch: pa.RecordBatch) -> pa.Array:
    """Returns one JSON object per row, with the columns in their order; null is written as null.

    Args:
      batch: n rows.

    Returns: n strings, each without a line break. See `json_values` for how values are written.
    """
    return _objects(batch.schema.names, batch.columns, batch.num_rows)


def json_values(array: pa.Array) -> pa.Array:
    """Returns the JSON text of each value.

    Integers are exact and floats have the fewest digits that read back as the same float. JSON
    knows no NaN and no infinity: they are the strings "NaN", "Infinity" and "-Infinity", which
    BigQuery, protobuf's JSON and our own readers take for floats. Decimals are strings, since
    readers would take numbers for floats. Times are ISO 8601 strings; with a time zone they are in
    UTC and end in "Z". Bytes are base64 text, a duration is a count of its unit, and a map is an
    object.

    Args:
      array: n values of any type, nested ones included.

    Returns: n strings, "null" for null.
    """
    opening, texts, closing = _pieces(array)
    if not opening:
        return texts
    return pc.binary_join_element_wise(opening, texts, closing, "")


def _pieces(array: pa.Array) -> tuple[str, pa.Array, str]:
    """Returns the values' texts with the signs around them, so that rows are joined in one step."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    array = without_views(array)
    plain = plain_type(array.type)
    array = array if array.type.equals(plain) else array.cast(plain)
    if pa.types.is_null(array.type):
        return "", pa.repeat("null", len(array)), ""
    quote, texts = ('"', _unquoted(array)) if _is_quoted(plain) else ("", _bare(array))
    if array.null_count == 0:
        return quote, texts.fill_null("null"), quote
    if quote:
        texts = _quoted(texts)
    return "", pc.if_else(array.is_valid(), texts, "null").fill_null("null"), ""


def _is_quoted(type: pa.DataType) -> bool:
    kinds = pa.types
    tests = (kinds.is_string, kinds.is_binary, kinds.is_fixed_size_binary, kinds.is_decimal)
    times = (kinds.is_timestamp, kinds.is_date, kinds.is_time)
    return any(test(type) for test in tests + times)


def _unquoted(array: pa.Array) -> pa.Array:
    """Returns the text between the quotes, and any text for a null."""
    type, kinds = array.type, pa.types
    if kinds.is_string(type):
        return _escaped(array)
    if kinds.is_timestamp(type):
        return _timestamps(array)
    if kinds.is_binary(type) or kinds.is_fixed_size_binary(type):
        return encode_base64(array.cast(pa.binary()))
    return array.cast(pa.string())


def _bare(array: pa.Array) -> pa.Array:
    """Returns the text of values that are not quoted, and any text for a null."""
    type, kinds = array.type, pa.types
    if kinds.is_floating(type):
        return _float_texts(array)
    if kinds.is_integer(type) or kinds.is_boolean(type):
        return array.cast(pa.string())
    if is_list(type):
        lengths = list_lengths(array)
        return _joined(lengths, json_values(array.flatten()), "[", "]")
    if kinds.is_struct(type):
        names = [type.field(index).name for index in range(type.num_fields)]
        return _objects(names, array.flatten(), len(array))
    if kinds.is_map(type):
        return _maps(array)
    if kinds.is_duration(type):
        return array.cast(pa.int64()).cast(pa.string())
    # Unions and calendar intervals: Arrow casts neither to text, and they are rare.
    return pa.array([json_object(value, str) for value in array.to_pylist()], pa.string())


def json_object(value: Any, unknown: Callable[[Any], str] = repr) -> str:
    """Returns the JSON text of an object of Python that is in no column.

    Args:
      value: The object. Floats that are not finite become the words of `json_values`, nested ones
        too.
      unknown: Makes a text of what JSON does not know.
    """
    try:
        return json.dumps(value, default=unknown, allow_nan=False)
    except ValueError:
        return json.dumps(_worded(value), default=unknown)


def _worded(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {_worded(key): _worded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_worded(item) for item in value]
    return value


def _objects(names: list[str], columns: list[pa.Array], rows: int) -> pa.Array:
    if not names:
        return pa.repeat("{}", rows)
    parts: list[pa.Array | str] = []
    before = "{"
    for name, column in zip(names, columns, strict=True):
        opening, texts, closing = _pieces(column)
        parts += [f"{before}{json.dumps(name, ensure_ascii=False)}:{opening}", texts]
        before = f"{closing},"
    return pc.binary_join_element_wise(*parts, f"{before[:-1]}}}", "")


def _joined(lengths: np.ndarray, texts: pa.Array, opening: str, closing: str) -> pa.Array:
    """Brackets texts in groups of the given lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ",")
    return pc.binary_join_element_wise(opening, joined, closing, "")


def _maps(array: pa.Array) -> pa.Array:
    """Maps as objects; a key that is no string becomes one, the text of its JSON."""
    offsets = array.offsets.to_numpy()
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    lengths = np.diff(offsets)
    kept = pa.array(np.repeat(valid, lengths))
    keys, values = (
        side.slice(offsets[0], offsets[-1] - offsets[0]).filter(kept)
        for side in (array.keys, array.items)
    )
    names = json_values(keys)
    if pa.types.is_floating(keys.type):
        names = pc.replace_substring(names, '"', "")
    if not _is_quoted(keys.type):
        names = _quoted(_escaped(names))
    entries = pc.binary_join_element_wise(names, ":", json_values(values), "")
    return _joined(np.where(valid, lengths, 0), entries, "{", "}")


def _float_texts(array: pa.Array) -> pa.Array:
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    finite = pc.is_finite(array)
    texts = array.cast(pa.string())
    if pc.all(finite, min_count=0).as_py():
        return texts
    infinite = pc.if_else(pc.greater(array, pa.scalar(0, array.type)), '"Infinity"', '"-Infinity"')
    return pc.if_else(finite, texts, pc.if_else(pc.is_nan(array), '"NaN"', infinite))


def _timestamps(array: pa.Array) -> pa.Array:
    type = array.type
    if type.tz is not None and type.tz != "UTC":
        array = array.cast(pa.timestamp(type.unit, "UTC"))
    texts = array.cast(pa.string())
    width = _WIDTHS[type.unit] + (type.tz is not None)
    if pc.any(pc.not_equal(pc.binary_length(texts), width)).as_py():
        # Years before 0 or after 9999 are wider: the blank is elsewhere.
        return pc.replace_substring(texts, " ", "T", max_replacements=1)
    return pc.binary_replace_slice(texts, 10, 11, "T")


def _quoted(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _escaped(texts: pa.Array) -> pa.Array:
    """Escapes what JSON has to, and costs one look at the bytes where nothing has to be."""
    present = _special(texts)
    for code, escape in _ESCAPES.items():  # the backslash first: the others bring in new ones
        if code in present:
            texts = pc.replace_substring(texts, chr(code), escape)
    return texts


def _special(texts: pa.Array) -> set[int]:
    """Returns the characters that need an escape and occur in the text."""
    _, offsets_buffer, data = texts.buffers()
    if not len(texts) or data is None:
        return set()
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset :][: len(texts) + 1]
    codes = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    special = (codes < 0x20) | (codes == ord('"')) | (codes == ord("\\"))
    return set(np.unique(codes[special]).tolist())
