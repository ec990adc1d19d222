"""Tables of every type, for tests."""

import datetime
from decimal import Decimal

import pyarrow as pa

PROJECT = "proj-12345"
TRIPS = f"{PROJECT}.taxi.trips"
UTC = datetime.UTC
_NOON = datetime.datetime(2026, 1, 31, 12, 0, 0, 123456)
_DAY = datetime.date(2026, 1, 31)

EVERY_TYPE = {
    "b": ("BOOLEAN", True),
    "i": ("INTEGER", -(2**63)),
    "f": ("FLOAT", 0.1),
    "s": ("STRING", "Zürich ☂"),
    "y": ("BYTES", b"\x00\xff"),
    "d": ("DATE", datetime.date(9999, 12, 31)),
    "t": ("TIME", datetime.time(23, 59, 59, 999999)),
    "dt": ("DATETIME", datetime.datetime(1, 1, 1)),
    "ts": ("TIMESTAMP", _NOON.replace(tzinfo=UTC)),
    "n": ("NUMERIC", Decimal("12345678901234567890123456789.123456789")),
    "bn": ("BIGNUMERIC", Decimal("1E-38")),
    "g": ("GEOGRAPHY", "POINT(8.5 47.4)"),
    "j": ("JSON", '{"a": [1, null]}'),
}
"""A column of every type that a load takes: its type, and a value that is hard to carry."""

READ_ONLY = {
    "v": ("INTERVAL", pa.scalar((14, -3, 10**9), pa.month_day_nano_interval()).as_py()),
}


def fields(columns, more=()):
    """The JSON of columns, the same again in lists, and in a record; then some more fields."""
    plain = [{"name": n, "type": kind, "mode": "NULLABLE"} for n, (kind, _) in columns.items()]
    lists = [{**each, "name": f"l_{each['name']}", "mode": "REPEATED"} for each in plain]
    record = {"name": "r", "type": "RECORD", "mode": "NULLABLE", "fields": [*plain, *lists]}
    records = {**record, "name": "rs", "mode": "REPEATED"}
    return [*plain, *lists, record, records, *more]


def row(columns):
    """A row of `fields` in which every column has its value."""
    plain = {name: value for name, (_, value) in columns.items()}
    lists = {f"l_{name}": [value, value] for name, value in plain.items()}
    record = {**plain, **lists}
    return {**plain, **lists, "r": record, "rs": [record, record]}


def empty_row(columns):
    """A row of `fields` in which everything is missing; a list that is missing has no values."""
    return {**dict.fromkeys(columns), **{f"l_{name}": [] for name in columns}, "r": None, "rs": []}
