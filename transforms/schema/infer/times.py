"""Which columns are points in time, and the unit in which their statistics count."""

import pyarrow as pa

from transforms.arrow.types import is_list, plain_type

_FORMATS = {
    "s": "UNIX_SECONDS",
    "ms": "UNIX_MILLISECONDS",
    "us": "UNIX_MICROSECONDS",
    "ns": "UNIX_NANOSECONDS",
}


def time_formats(columns: pa.Schema) -> dict[str, str]:
    """Returns the integer format of each column of timestamps or dates, lists of them included.

    Args:
      columns: The schema of rows. Statistics count their times since 1970: timestamps in their own
        unit, dates in days or, if they have 64 bits, in milliseconds.

    Returns: Names of tensorflow-metadata's `TimeDomain.IntegerTimeFormat`, by column.
    """
    found = {field.name: _format(plain_type(field.type)) for field in columns}
    return {name: each for name, each in found.items() if each is not None}


def _format(type: pa.DataType) -> str | None:
    while is_list(type):
        type = plain_type(type.value_type)
    if pa.types.is_timestamp(type):
        return _FORMATS[type.unit]
    if pa.types.is_date(type):
        return "UNIX_DAYS" if type.bit_width == 32 else _FORMATS["ms"]
    return None
